// Include: prologue `plain` of matmul.wgsl.
fn prepare_rows(first_row: u32, lane: u32) {}

fn load_a(row: u32, tile_row: u32, k4: u32) -> vec4f {
#if A_VECTOR
  return a[row * K4 + k4];
#else
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (k4 * 4u + i < K) {
      value[i] = a[row * K + k4 * 4u + i];
    }
  }
  return value;
#endif
}
