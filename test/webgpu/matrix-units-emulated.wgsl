// In place of kernels/matrix-units.wgsl where a device has no matrix units: every invocation of a subgroup makes whole
// products. Factors are read when they are multiplied: nothing writes them between load and product.
struct Left { offset: u32, pitch: u32, place: u32 }
// From one row and column to the next.
struct Right { offset: u32, down: u32, across: u32, place: u32 }
struct Result { numbers: array<f32, UNIT_M * UNIT_N> }

// Where factors lie: in what the constants name, or one of the two buffers of RIGHT kept.
const NAMED = 0u;
const IN_QKV = 1u;
const IN_CACHE = 2u;

#if LEFT == a
fn load_left(offset: u32) -> Left {
  return Left(offset, UNIT_K, NAMED);
}

fn left_number(at: u32, place: u32) -> f32 {
  return f32(a[at]);
}
#else
fn load_left(offset: u32, pitch: u32) -> Left {
  return Left(offset, pitch, NAMED);
}

fn left_number(at: u32, place: u32) -> f32 {
#if RIGHT == kept
  if (place == IN_QKV) {
    return f32(qkv[at]);
  }
#endif
  return f32(factors[at]);
}
#endif

#if RIGHT == weights
fn load_right(offset: u32) -> Right {
  return Right(offset, 1u, UNIT_K, NAMED);
}

fn right_number(at: u32, place: u32) -> f32 {
  return f32(weights[at]);
}
#elif RIGHT == kept
fn load_query(offset: u32, pitch: u32) -> Left {
  return Left(offset, pitch, IN_QKV);
}

fn load_from_qkv(offset: u32, pitch: u32) -> Right {
  return Right(offset, pitch, 1u, IN_QKV);
}

fn load_turned_from_qkv(offset: u32, pitch: u32) -> Right {
  return Right(offset, 1u, pitch, IN_QKV);
}

fn load_from_cache(offset: u32, pitch: u32) -> Right {
  return Right(offset, pitch, 1u, IN_CACHE);
}

fn load_turned_from_cache(offset: u32, pitch: u32) -> Right {
  return Right(offset, 1u, pitch, IN_CACHE);
}

fn right_number(at: u32, place: u32) -> f32 {
  if (place == IN_CACHE) {
    return f32(cache[at]);
  }
  return f32(qkv[at]);
}
#else
fn load_right(offset: u32, pitch: u32) -> Right {
  return Right(offset, pitch, 1u, NAMED);
}

fn load_right_turned(offset: u32, pitch: u32) -> Right {
  return Right(offset, 1u, pitch, NAMED);
}

fn right_number(at: u32, place: u32) -> f32 {
  return f32(factors[at]);
}
#endif

fn multiply(left: Left, right: Right, sum: Result) -> Result {
  var result = sum;
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    for (var k = 0u; k < UNIT_K; k++) {
      result.numbers[i] += left_number(left.offset + (i / UNIT_N) * left.pitch + k, left.place) *
        right_number(right.offset + k * right.down + (i % UNIT_N) * right.across, right.place);
    }
  }
  return result;
}

fn store_result(offset: u32, sum: Result, pitch: u32) {
  for (var i = 0u; i < UNIT_M * UNIT_N; i++) {
    results[offset + (i / UNIT_N) * pitch + i % UNIT_N] = RESULT(sum.numbers[i]);
  }
}
