// Matrix product with a fused prologue and epilogue on plain register tiles; shapes and variants: matmul-parts.wgsl.
//   weights  [⌈K/4⌉, N]  u32 (four int8 along k, WEIGHT int8) or vec4f (WEIGHT float); zero beyond K. WEIGHT mixed: int8
//            for columns below SPLIT, [⌈K/4⌉, SPLIT]; the others are floats in `tail`
// NUMBER: f32, or f16 for what lies in workgroup memory and for sums of four products; longer sums are f32. Then int8
// weights count as w/128, so that four products of the largest weight stay finite wherever `a` is below 16,000.
// One workgroup makes TILE_M × TILE_N outputs. Its invocations are SLICES groups; each adds up another part of K, and of
// each group every invocation makes 4 × 4 outputs. What the next step multiplies is fetched from device memory before this
// step's arithmetic: few workgroups run on a card at a time, so nothing else would hide that wait.
// Grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
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
// Groups of four numbers that an invocation fetches a step.
const A_FETCHES = (DEPTH4 * TILE_M + THREADS - 1) / THREADS;
const B_FETCHES = (DEPTH4 * TILE_N + THREADS - 1) / THREADS;

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

// Four weights as they are stored; of `mixed` an int8 word in x, or the bits of four floats.
#if WEIGHT == int8
alias Stored = u32;
#elif WEIGHT == float
alias Stored = vec4f;
#else
alias Stored = vec4u;
#endif

fn fetch_weight(k4: u32, column: u32) -> Stored {
#if WEIGHT != mixed
  return weights[k4 * N + column];
#else
  if (column < SPLIT) {
    return vec4u(weights[k4 * SPLIT + column], 0u, 0u, 0u);
  }
  return bitcast<vec4u>(tail[k4 * (N - SPLIT) + column - SPLIT]);
#endif
}

fn finish_weight(stored: Stored, column: u32) -> vec4<NUMBER> {
#if WEIGHT == int8
  return unpack_int8(stored);
#elif WEIGHT == float
  return vec4<NUMBER>(stored);
#else
  if (column < SPLIT) {
    return unpack_int8(stored.x);
  }
  return vec4<NUMBER>(bitcast<vec4f>(stored));
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

  var fetched_a: array<Fetched, A_FETCHES>;
  var fetched_b: array<Stored, B_FETCHES>;
  var sums: array<vec4f, 4>;
  fetch_early(first_row, first_column, lane);
  // `next` is the step whose factors are fetched while the one before is multiplied.
  for (var next = 0u; next < K4 + DEPTH4; next += DEPTH4) {
    let k = next - DEPTH4;
    if (next > 0u) {
      for (var j = 0u; j < A_FETCHES; j++) {
        let i = lane + j * THREADS;
        let k4 = i % DEPTH4;
        let row = i / DEPTH4;
        if (row < TILE_M) {
          let used = k + k4 < K4 && first_row + row < launch.tokens;
          tile_a[k4 * PITCH + row] = narrowed(select(vec4f(0.0), finish_a(fetched_a[j], row, k + k4), used));
        }
      }
      for (var j = 0u; j < B_FETCHES; j++) {
        let i = lane + j * THREADS;
        if (i < DEPTH4 * TILE_N) {
          let column = first_column + i % TILE_N;
          let used = k + i / TILE_N < K4 && column < N;
          tile_b[i] = select(vec4<NUMBER>(0.0), finish_weight(fetched_b[j], column), used);
        }
      }
      workgroupBarrier();
    }
    if (next < K4) {
      for (var j = 0u; j < B_FETCHES; j++) {
        let i = lane + j * THREADS;
        fetched_b[j] = fetch_weight(min(next + i / TILE_N, K4 - 1u), min(first_column + i % TILE_N, N - 1u));
      }
      for (var j = 0u; j < A_FETCHES; j++) {
        let i = lane + j * THREADS;
        fetched_a[j] = fetch_a(min(first_row + i / DEPTH4, launch.tokens - 1u), min(next + i % DEPTH4, K4 - 1u));
      }
    }
    if (next == 0u) {
      prepare_rows(first_row, lane);
      continue;
    }
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
          store(row, column, whole(column, sums[i][j]), fetch_beside(row, column));
        }
      }
    }
  }
#endif
}
