// Include: prologue `modulate` of the matmul family: rms(a)·(1 + scale) + shift, vectors looked up by the token's noise level.
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

struct Fetched {
  value: vec4f,
  shift: vec4f,
  scale: vec4f,
}

fn fetch_a(row: u32, k4: u32) -> Fetched {
  let vectors = table_row(row) + k4;
  return Fetched(a[row * K4 + k4], table[vectors + TABLE_SHIFT / 4], table[vectors + TABLE_SCALE / 4]);
}

fn finish_a(fetched: Fetched, tile_row: u32, k4: u32) -> vec4f {
  return fetched.value * row_scales[tile_row] * (1.0 + fetched.scale) + fetched.shift;
}
