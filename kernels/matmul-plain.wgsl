// Include: prologue `plain` of the matmul family. Rows of `a` are A_STRIDE numbers apart, and begin with number A_OFFSET.
alias Fetched = vec4f;

fn prepare_rows(first_row: u32, lane: u32) {}

fn fetch_a(row: u32, k4: u32) -> Fetched {
#if A_VECTOR
  return a[(row * A_STRIDE + A_OFFSET) / 4 + k4];
#else
  var value = vec4f(0.0);
  for (var i = 0u; i < 4u; i++) {
    if (k4 * 4u + i < K) {
      value[i] = a[row * A_STRIDE + A_OFFSET + k4 * 4u + i];
    }
  }
  return value;
#endif
}

fn finish_a(fetched: Fetched, tile_row: u32, k4: u32) -> vec4f {
  return fetched;
}
