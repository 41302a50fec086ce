// c = a·b for square f16 matrices of SIZE numbers a side (a multiple of 64) on the device's matrix units, sums in f32.
// A workgroup is one subgroup; it makes 4 × 4 results of M × N straight from device memory.
enable f16;
enable chromium_experimental_subgroup_matrix;

@group(0) @binding(0) var<storage, read> a: array<f16>;
@group(0) @binding(1) var<storage, read> b: array<f16>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;

@compute @workgroup_size(SUBGROUP)
fn main(@builtin(workgroup_id) group: vec3u) {
  let row = group.y * 4u * M;
  let column = group.x * 4u * N;
  var sums: array<subgroup_matrix_result<f32, N, M>, 16>;
  for (var k = 0u; k < SIZE; k += K) {
    var left: array<subgroup_matrix_left<f16, K, M>, 4>;
    for (var i = 0u; i < 4u; i++) {
      left[i] = subgroupMatrixLoad<subgroup_matrix_left<f16, K, M>, row_major>(&a, (row + i * M) * SIZE + k, SIZE);
    }
    for (var j = 0u; j < 4u; j++) {
      let right = subgroupMatrixLoad<subgroup_matrix_right<f16, N, K>, row_major>(&b, k * SIZE + column + j * N, SIZE);
      for (var i = 0u; i < 4u; i++) {
        sums[i * 4u + j] = subgroupMatrixMultiplyAccumulate(left[i], right, sums[i * 4u + j]);
      }
    }
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      subgroupMatrixStore<row_major>(&c, (row + i * M) * SIZE + column + j * N, sums[i * 4u + j], SIZE);
    }
  }
}
