// c = a·b for square f16 matrices of SIZE numbers a side (a multiple of 64) on the device's matrix units, sums in f32.
// A workgroup is one subgroup; it makes 4 × 4 results of M × N straight from device memory. TURNED: b lies column after column.
enable f16;
enable chromium_experimental_subgroup_matrix;

@group(0) @binding(0) var<storage, read> a: array<f16>;
@group(0) @binding(1) var<storage, read> b: array<f16>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u) {
  let row = group.y * 4u * M;
  let column = group.x * 4u * N;
#repeat i 4
#repeat j 4
  var sum_$i_$j: subgroup_matrix_result<f32, N, M>;
#endrepeat
#endrepeat
  for (var k = 0u; k < SIZE; k += K) {
#repeat i 4
    let left_$i = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a, (row + $iu * M) * SIZE + k, SIZE);
#endrepeat
#repeat j 4
#if TURNED
    let right_$j =
      subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, col_major>(&b, (column + $ju * N) * SIZE + k, SIZE);
#else
    let right_$j =
      subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, row_major>(&b, k * SIZE + column + $ju * N, SIZE);
#endif
#repeat i 4
    sum_$i_$j = subgroupMatrixMultiplyAccumulate(left_$i, right_$j, sum_$i_$j);
#endrepeat
#endrepeat
  }
#repeat i 4
#repeat j 4
  subgroupMatrixStore<row_major>(&c, (row + $iu * M) * SIZE + column + $ju * N, sum_$i_$j, SIZE);
#endrepeat
#endrepeat
}
