// Copies four numbers an invocation; the grid's second dimension goes on where the first ends.
@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> target_numbers: array<vec4f>;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let at = id.y * groups.x * 256u + id.x;
  if (at < arrayLength(&source)) {
    target_numbers[at] = source[at];
  }
}
