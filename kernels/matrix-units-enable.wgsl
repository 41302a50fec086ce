// Include: language extensions that matrix units need; must come first in a kernel.
enable f16;
enable subgroups;
enable chromium_experimental_subgroup_matrix;
// Which subgroup does which job depends on the invocation's index; it is the same throughout a subgroup.
diagnostic(off, chromium.subgroup_matrix_uniformity);
