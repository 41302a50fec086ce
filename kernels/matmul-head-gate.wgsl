// Include: prologue `head_gate` of the matmul family: the read-out of a scan, normalised a head and gated.
const HEADS = K / HEAD_LENGTH;
var<workgroup> head_scales: array<f32, TILE_M * HEADS>;

fn prepare_rows(first_row: u32, lane: u32) {
  for (var i = lane; i < TILE_M * HEADS; i += THREADS) {
    let row = first_row + i / HEADS;
    var sum = 0.0;
    if (row < launch.tokens) {
      let start = row * K4 + (i % HEADS) * (HEAD_LENGTH / 4);
      for (var k4 = 0u; k4 < HEAD_LENGTH / 4; k4++) {
        let value = a[start + k4];
        sum += dot(value, value);
      }
    }
    head_scales[i] = inverseSqrt(sum / f32(HEAD_LENGTH) + 0.1);
  }
  workgroupBarrier();
}

struct Fetched {
  value: vec4f,
  gate: vec4f,
}

fn fetch_a(row: u32, k4: u32) -> Fetched {
  return Fetched(a[row * K4 + k4], extra[(row * EXTRA_STRIDE + EXTRA_OFFSET) / 4 + k4]);
}

fn finish_a(fetched: Fetched, tile_row: u32, k4: u32) -> vec4f {
  let gate = fetched.gate;
  let gated = gate / (1.0 + exp(clamp(-gate, vec4f(-80.0), vec4f(80.0))));
  return fetched.value * head_scales[tile_row * HEADS + k4 / (HEAD_LENGTH / 4)] * gated;
}
