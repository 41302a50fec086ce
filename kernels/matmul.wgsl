// Matrix product with a fused prologue and epilogue on plain register tiles; shapes and variants: matmul-parts.wgsl.
//   weights  [⌈K/4⌉, N]  u32 (four int8 along k, WEIGHT int8) or vec4f (WEIGHT float); zero beyond K. WEIGHT mixed: int8
//            for columns below SPLIT, [⌈K/4⌉, SPLIT]; the others are floats in `tail`
// NUMBER: f32, or f16 for what lies in workgroup memory and for sums of four products; longer sums are f32. Then int8
// weights count as w/128, so that four products of the largest weight stay finite wherever `a` is below 16,000.
// One workgroup makes TILE_M × TILE_N outputs. Its invocations are SLICES groups; each adds up another part of K, and of
// each group every invocation makes 4 × 4 outputs. Grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
#if NUMBER == f16
enable f16;
#endif
const TILE_K4 = TILE_K / 4;
const DEPTH4 = SLICES * TILE_K4;
const ACROSS = TILE_N / 4;
const DOWN = TILE_M / 4;
const GROUP = ACROSS * DOWN;
const THREADS = SLICES * GROUP;
const PITCH = TILE_M + 1;
const RESULT_SLICES = 1u;

var<workgroup> tile_a: array<vec4<NUMBER>, DEPTH4 * PITCH>;
var<workgroup> tile_b: array<vec4<NUMBER>, DEPTH4 * TILE_N>;
#if STAGED
var<workgroup> results: array<f32, TILE_M * TILE_N>;
#endif

#include "matmul-parts.wgsl"

#if NUMBER == f16
const INT8_UNIT = 0.0078125;
#else
const INT8_UNIT = 1.0;
#endif

fn unpack_int8(word: u32) -> vec4<NUMBER> {
  return vec4<NUMBER>(INT8_UNIT * vec4f((vec4i(i32(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u)));
}

fn load_weight(k4: u32, column: u32) -> vec4<NUMBER> {
#if WEIGHT == int8
  return unpack_int8(weights[k4 * N + column]);
#elif WEIGHT == float
  return vec4<NUMBER>(weights[k4 * N + column]);
#else
  if (column < SPLIT) {
    return unpack_int8(weights[k4 * SPLIT + column]);
  }
  return vec4<NUMBER>(tail[k4 * (N - SPLIT) + column - SPLIT]);
#endif
}

// The sum with weights as they are meant.
fn whole(column: u32, sum: f32) -> f32 {
#if WEIGHT == int8
  return sum * (1.0 / INT8_UNIT);
#elif WEIGHT == float
  return sum;
#else
  return select(sum, sum * (1.0 / INT8_UNIT), column < SPLIT);
#endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_M;
  let first_column = group.x * TILE_N;
  let slice = lane / GROUP;
  let across = lane % ACROSS;
  let down = (lane % GROUP) / ACROSS;
  prepare_rows(first_row, lane);

  var sums: array<vec4f, 4>;
  for (var k = 0u; k < K4; k += DEPTH4) {
    for (var i = lane; i < DEPTH4 * TILE_M; i += THREADS) {
      let k4 = i % DEPTH4;
      let row = i / DEPTH4;
      var value = vec4f(0.0);
      if (k + k4 < K4 && first_row + row < launch.tokens) {
        value = load_a(first_row + row, row, k + k4);
      }
      tile_a[k4 * PITCH + row] = narrowed(value);
    }
    for (var i = lane; i < DEPTH4 * TILE_N; i += THREADS) {
      let k4 = i / TILE_N;
      let column = i % TILE_N;
      var value = vec4<NUMBER>(0.0);
      if (k + k4 < K4 && first_column + column < N) {
        value = load_weight(k + k4, first_column + column);
      }
      tile_b[i] = value;
    }
    workgroupBarrier();
    for (var i4 = 0u; i4 < TILE_K4; i4++) {
      let k4 = slice * TILE_K4 + i4;
      let b0 = tile_b[k4 * TILE_N + across];
      let b1 = tile_b[k4 * TILE_N + across + ACROSS];
      let b2 = tile_b[k4 * TILE_N + across + 2 * ACROSS];
      let b3 = tile_b[k4 * TILE_N + across + 3 * ACROSS];
      for (var i = 0u; i < 4u; i++) {
        let value = tile_a[k4 * PITCH + down + i * DOWN];
        sums[i] += vec4f(vec4<NUMBER>(dot(value, b0), dot(value, b1), dot(value, b2), dot(value, b3)));
      }
    }
    workgroupBarrier();
  }

#if STAGED
  for (var turn = 0u; turn < SLICES; turn++) {
    if (turn == slice) {
      for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
          let column = across + j * ACROSS;
          let at = (down + i * DOWN) * TILE_N + column;
          let value = whole(first_column + column, sums[i][j]);
          results[at] = select(results[at] + value, value, turn == 0u);
        }
      }
    }
    workgroupBarrier();
  }
  store_results(first_row, first_column, lane);
#else
  for (var i = 0u; i < 4u; i++) {
    let row = first_row + down + i * DOWN;
    if (row < launch.tokens) {
      for (var j = 0u; j < 4u; j++) {
        let column = first_column + across + j * ACROSS;
        if (column < N) {
          store(row, column, whole(column, sums[i][j]));
        }
      }
    }
  }
#endif
}
