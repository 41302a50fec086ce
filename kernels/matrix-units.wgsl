// Include: the device's matrix units: one product of UNIT_M × UNIT_K with UNIT_K × UNIT_N numbers, sums of type RESULT. The
// only file that names the extension's types and functions. Sums go to the including kernel's `results`; `pitch` is from one
// row to the next.
// LEFT   a        left factors lie in `a`, unit after unit
//        factors  left factors lie in `factors`, row after row; with RIGHT kept in `qkv` too
// RIGHT  weights  right factors lie in `weights`, unit after unit, turned: a row for each of a unit's columns
//        factors  right factors lie in `factors`, as they are multiplied or turned: a row for each of their columns
//        kept     the same in `qkv` and `cache`
alias Left = subgroup_matrix_left<NUMBER, UNIT_K, UNIT_M>;
alias Right = subgroup_matrix_right<NUMBER, UNIT_N, UNIT_K>;
alias Result = subgroup_matrix_result<RESULT, UNIT_N, UNIT_M>;

#if LEFT == a
fn load_left(offset: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&a, offset, UNIT_K);
}
#else
fn load_left(offset: u32, pitch: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&factors, offset, pitch);
}
#endif

#if RIGHT == weights
fn load_right(offset: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&weights, offset, UNIT_K);
}
#elif RIGHT == kept
fn load_query(offset: u32, pitch: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&qkv, offset, pitch);
}

fn load_from_qkv(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&qkv, offset, pitch);
}

fn load_turned_from_qkv(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&qkv, offset, pitch);
}

fn load_from_cache(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&cache, offset, pitch);
}

fn load_turned_from_cache(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&cache, offset, pitch);
}
#else
fn load_right(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&factors, offset, pitch);
}

fn load_right_turned(offset: u32, pitch: u32) -> Right {
  return subgroupMatrixLoad<Right, col_major>(&factors, offset, pitch);
}
#endif

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  return subgroupMatrixMultiplyAccumulate(left, right, sum);
}

fn store_result(offset: u32, sum: Result, pitch: u32) {
  subgroupMatrixStore<row_major>(&results, offset, sum, pitch);
}
