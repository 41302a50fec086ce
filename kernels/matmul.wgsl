// out[m, n] ← STORE(ACTIVATION(scale[n] · Σ_k PROLOGUE(a)[m, k] · weights[n, k] + bias[n]))
//   a        [tokens, K]           f32, rows contiguous
//   weights  [⌈K/4⌉, N]            u32 (four int8 along k, WEIGHT int8) or vec4f (WEIGHT float); zero beyond K.
//            WEIGHT mixed: int8 for columns below SPLIT, [⌈K/4⌉, SPLIT]; the others are floats in `tail`
//   columns  [N]                   vec2f: scale, bias
//   out      [tokens, OUT_STRIDE]  f32; columns 0 … N − 1 are written
//   table    [rows, TABLE_STRIDE]  f32, modulation vectors by noise level (PROLOGUE modulate, STORE gate)
//   mask     [tokens]              u32, 1 = noised (with `table`, and STORE sample); known [frames] for STORE camera
//   extra                          see PROLOGUE head_gate, STORE extra, STORE camera
// PROLOGUE plain      a as it is (A_VECTOR 0 when K is no multiple of 4)
//          modulate   rms(a)·(1 + scale) + shift; TABLE_SHIFT and TABLE_SCALE are the vectors' places in a table row
//          head_gate  a·rsqrt(mean over the head's HEAD_LENGTH values of a² + 0.1)·silu(g), g = extra at columns
//                     EXTRA_OFFSET … of rows of EXTRA_STRIDE
// STORE    set        out = v
//          add        out += v
//          extra      out = v + extra[m, n] for n < EXTRA_COLUMNS (rows of EXTRA_STRIDE), else v
//          gate       out += v·table gate (TABLE_GATE)
//          sample     where mask is 1: out = v + ratio·(out − v), the sampler step
//          camera     out = (known ? v without bias : unknown) + bias + row + column embedding; extra = row
//                     [GRID_ROWS, N], column [GRID_COLUMNS, N], unknown [N]
// One workgroup makes TILE_M × TILE_N outputs, each invocation 4 × 4 of them; grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
#include "launch.wgsl"
#include "activation.wgsl"

#if A_VECTOR
@group(1) @binding(0) var<storage, read> a: array<vec4f>;
#else
@group(1) @binding(0) var<storage, read> a: array<f32>;
#endif
#if WEIGHT == float
@group(1) @binding(1) var<storage, read> weights: array<vec4f>;
#else
@group(1) @binding(1) var<storage, read> weights: array<u32>;
#endif
@group(1) @binding(2) var<storage, read> columns: array<vec2f>;
@group(1) @binding(3) var<storage, read_write> out: array<f32>;
@group(1) @binding(4) var<storage, read> table: array<vec4f>;
@group(1) @binding(5) var<storage, read> mask: array<u32>;
#if PROLOGUE == head_gate
@group(1) @binding(6) var<storage, read> extra: array<vec4f>;
#else
@group(1) @binding(6) var<storage, read> extra: array<f32>;
#endif
@group(1) @binding(7) var<storage, read> tail: array<vec4f>;

const K4 = (K + 3) / 4;
const TILE_K4 = TILE_K / 4;
const ACROSS = TILE_N / 4;
const DOWN = TILE_M / 4;
const THREADS = ACROSS * DOWN;
const PITCH = TILE_M + 1;

var<workgroup> tile_a: array<vec4f, TILE_K4 * PITCH>;
var<workgroup> tile_b: array<vec4f, TILE_K4 * TILE_N>;

fn table_row(token: u32) -> u32 {
  return select(0u, launch.level_row, mask[token] != 0u) * (TABLE_STRIDE / 4);
}

#if PROLOGUE == modulate
#include "matmul-modulate.wgsl"
#elif PROLOGUE == head_gate
#include "matmul-head-gate.wgsl"
#else
#include "matmul-plain.wgsl"
#endif

fn unpack_int8(word: u32) -> vec4f {
  return vec4f((vec4i(i32(word)) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}

fn load_weight(k4: u32, column: u32) -> vec4f {
#if WEIGHT == int8
  return unpack_int8(weights[k4 * N + column]);
#elif WEIGHT == float
  return weights[k4 * N + column];
#else
  if (column < SPLIT) {
    return unpack_int8(weights[k4 * SPLIT + column]);
  }
  return tail[k4 * (N - SPLIT) + column - SPLIT];
#endif
}

fn store(row: u32, column: u32, sum: f32) {
  let at = row * OUT_STRIDE + column;
  let scaled = columns[column].x * sum;
  let bias = columns[column].y;
#if ACTIVATION == gelu
  let v = gelu_tanh(scaled + bias);
#elif ACTIVATION == silu
  let v = silu(scaled + bias);
#else
  let v = scaled + bias;
#endif
#if STORE == set
  out[at] = v;
#elif STORE == add
  out[at] += v;
#elif STORE == extra
  if (column < EXTRA_COLUMNS) {
    out[at] = v + extra[row * EXTRA_STRIDE + column];
  } else {
    out[at] = v;
  }
#elif STORE == gate
  let place = TABLE_GATE + column;
  out[at] += v * table[table_row(row) + place / 4u][place % 4u];
#elif STORE == sample
  if (mask[row] != 0u) {
    out[at] = v + launch.ratio * (out[at] - v);
  }
#elif STORE == camera
  let per_frame = u32(GRID_ROWS * GRID_COLUMNS);
  let cell = row % per_frame;
  let unknown = extra[(GRID_ROWS + GRID_COLUMNS) * N + column];
  out[at] = select(unknown, scaled, mask[row / per_frame] != 0u) + bias
    + extra[(cell / GRID_COLUMNS) * N + column]
    + extra[(GRID_ROWS + cell % GRID_COLUMNS) * N + column];
#endif
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first_row = group.y * TILE_M;
  let first_column = group.x * TILE_N;
  let across = lane % ACROSS;
  let down = lane / ACROSS;
  prepare_rows(first_row, lane);

  var sums: array<vec4f, 4>;
  for (var k = 0u; k < K4; k += TILE_K4) {
    for (var i = lane; i < TILE_K4 * TILE_M; i += THREADS) {
      let k4 = i % TILE_K4;
      let row = i / TILE_K4;
      var value = vec4f(0.0);
      if (k + k4 < K4 && first_row + row < launch.tokens) {
        value = load_a(first_row + row, row, k + k4);
      }
      tile_a[k4 * PITCH + row] = value;
    }
    for (var i = lane; i < TILE_K4 * TILE_N; i += THREADS) {
      let k4 = i / TILE_N;
      let column = i % TILE_N;
      var value = vec4f(0.0);
      if (k + k4 < K4 && first_column + column < N) {
        value = load_weight(k + k4, first_column + column);
      }
      tile_b[i] = value;
    }
    workgroupBarrier();
    for (var k4 = 0u; k4 < TILE_K4; k4++) {
      let b0 = tile_b[k4 * TILE_N + across];
      let b1 = tile_b[k4 * TILE_N + across + ACROSS];
      let b2 = tile_b[k4 * TILE_N + across + 2 * ACROSS];
      let b3 = tile_b[k4 * TILE_N + across + 3 * ACROSS];
      for (var i = 0u; i < 4u; i++) {
        let value = tile_a[k4 * PITCH + down + i * DOWN];
        sums[i] += vec4f(dot(value, b0), dot(value, b1), dot(value, b2), dot(value, b3));
      }
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    let row = first_row + down + i * DOWN;
    if (row < launch.tokens) {
      for (var j = 0u; j < 4u; j++) {
        let column = first_column + across + j * ACROSS;
        if (column < N) {
          store(row, column, sums[i][j]);
        }
      }
    }
  }
}
