// In place of kernels/matrix-units.wgsl where a device has no matrix units: every invocation of a subgroup keeps whole
// matrices and makes whole products. Sums and products are f32.
struct Left { numbers: array<f32, UNIT_M * UNIT_K> }
struct Right { numbers: array<f32, UNIT_K * UNIT_N> }
struct Result { numbers: array<f32, UNIT_M * UNIT_N> }

fn load_left(offset: u32) -> Left {
  var left: Left;
  for (var i = 0u; i < UNIT_M * UNIT_K; i++) {
    left.numbers[i] = f32(tile_a[offset + (i / UNIT_K) * PITCH + i % UNIT_K]);
  }
  return left;
}

fn load_right(offset: u32) -> Right {
  var right: Right;
  for (var i = 0u; i < UNIT_K * UNIT_N; i++) {
    right.numbers[i] = f32(weights[offset + i]);
  }
  return right;
}

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    for (var k = 0u; k < UNIT_K; k++) {
      result.numbers[i] += left.numbers[(i / UNIT_N) * UNIT_K + k] * right.numbers[k * UNIT_N + i % UNIT_N];
    }
  }
  return result;
}

fn store_result(offset: u32, sum: Result) {
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    results[offset + (i / UNIT_N) * TILE_N + i % UNIT_N] = RESULT(sum.numbers[i]);
  }
}
