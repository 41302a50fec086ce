// Include: prologue `packed_modulated` of the matmul family: what rms(a) multiplies finished sums with.
//   squares [tokens, K], then [K/SQUARED, tokens]  f32: rows before 1 + scale, sums of SQUARED of their squares
var<workgroup> row_factors: array<f32, TILE_M>;

fn prepare_rows(first_row: u32, lane: u32) {
  for (var tile_row = lane; tile_row < TILE_M; tile_row += THREADS) {
    let row = min(first_row + tile_row, launch.tokens - 1u);
    var sum = 0.0;
    for (var i = 0u; i < K / SQUARED; i++) {
      sum += squares[(u32(K) + i) * launch.tokens + row];
    }
    row_factors[tile_row] = inverseSqrt(sum / f32(K) + 1e-6) / HEADROOM;
  }
}
