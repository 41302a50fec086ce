// In place of kernels/matrix-units.wgsl where a device has no matrix units: every invocation of a subgroup makes whole
// products. Factors are read when they are multiplied: nothing writes them between load and product.
struct Left { offset: u32 }
struct Right { offset: u32 }
struct Result { numbers: array<f32, UNIT_M * UNIT_N> }

fn load_left(offset: u32) -> Left {
  return Left(offset);
}

fn load_right(offset: u32) -> Right {
  return Right(offset);
}

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    for (var k = 0u; k < UNIT_K; k++) {
      result.numbers[i] += f32(tile_a[left.offset + (i / UNIT_N) * PITCH + k]) *
        f32(weights[right.offset + k * UNIT_N + i % UNIT_N]);
    }
  }
  return result;
}

fn store_result(offset: u32, sum: Result) {
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    results[offset + (i / UNIT_N) * TILE_N + i % UNIT_N] = RESULT(sum.numbers[i]);
  }
}
