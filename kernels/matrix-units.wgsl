// Include: the device's matrix units, as matmul-units.wgsl uses them: one product of UNIT_M × UNIT_K with UNIT_K × UNIT_N
// numbers, sums of type RESULT. The only file that names the extension's types and functions.
alias Left = subgroup_matrix_left<NUMBER, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<NUMBER, UNIT_N, UNIT_K>;
alias Result = subgroup_matrix_result<RESULT, UNIT_N, UNIT_M>;

fn load_left(offset: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&tile_a, offset, PITCH);
}

fn load_right(offset: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&weights, offset, UNIT_N);
}

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

fn store_result(offset: u32, sum: Result) {
  subgroupMatrixStore<row_major>(&results, offset, sum, TILE_N);
}
