// Include: prologue `modulate` of matmul.wgsl: rms(a)·(1 + scale) + shift, vectors looked up by the token's noise level.
const SHARES = THREADS / TILE_M;
var<workgroup> row_sums: array<f32, THREADS>;
var<workgroup> row_scales: array<f32, TILE_M>;

fn prepare_rows(first_row: u32, lane: u32) {
  let row = first_row + lane / SHARES;
  var sum = 0.0;
  if (row < launch.tokens) {
    for (var k4 = lane % SHARES; k4 < K4; k4 += SHARES) {
      let value = a[row * K4 + k4];
      sum += dot(value, value);
    }
  }
  row_sums[lane] = sum;
  workgroupBarrier();
  for (var tile_row = lane; tile_row < TILE_M; tile_row += THREADS) {
    var total = 0.0;
    for (var share = 0u; share < SHARES; share++) {
      total += row_sums[tile_row * SHARES + share];
    }
    row_scales[tile_row] = inverseSqrt(total / f32(K) + 1e-6);
  }
  workgroupBarrier();
}

fn load_a(row: u32, tile_row: u32, k4: u32) -> vec4f {
  let vectors = table_row(row) + k4;
  let shift = table[vectors + TABLE_SHIFT / 4];
  let scale = table[vectors + TABLE_SCALE / 4];
  return a[row * K4 + k4] * row_scales[tile_row] * (1.0 + scale) + shift;
}
