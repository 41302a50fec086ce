// Include: what all kernels of the matmul family share: bindings, prologue, what happens to a finished sum.
//   out[m, n] ← STORE(ACTIVATION(scale[n] · Σ_k PROLOGUE(a)[m, k] · weights[n, k] + bias[n]))
//   a        [tokens, K]           f32, rows contiguous
//   weights  see the including file
//   columns  [N]                   vec2f: scale, bias (STORE heads: scale, gain)
//   out      [tokens, OUT_STRIDE]  f32; columns 0 … N − 1 are written
//   table    [rows, TABLE_STRIDE]  f32, modulation vectors by noise level (PROLOGUE modulate, STORE gate)
//   mask     [tokens]              u32, 1 = noised (with `table`, and STORE sample); known [frames] for STORE camera
//   extra                          see PROLOGUE head_gate, STORE extra, STORE camera, STORE heads
// PROLOGUE plain      a as it is (A_VECTOR 0 when K is no multiple of 4)
//          modulate   rms(a)·(1 + scale) + shift; TABLE_SHIFT and TABLE_SCALE are the vectors' places in a table row
//          head_gate  a·rsqrt(mean over the head's HEAD_LENGTH values of a² + 0.1)·silu(g), g = extra at columns
//                     EXTRA_OFFSET … of rows of EXTRA_STRIDE
//          packed     a as it is, packed (packed.wgsl)
//          packed_modulated  the same as modulate, a packed and multiplied by (1 + scale)·HEADROOM already: finished sums are multiplied
//                     by their row's rms factor, made from `squares`, and the weights' product with the shift is added from
//                     `shifts` [rows, N] by noise level
// STORE    set        out = v
//          add        out += v
//          extra      out = v + extra[m, n] for n < EXTRA_COLUMNS (rows of EXTRA_STRIDE), else v
//          gate       out += v·table gate (TABLE_GATE)
//          packed     out = v, packed: no f32
//          unbiased   out = v without bias
//          sample     where mask is 1: out = v + ratio·(out − v), the sampler step
//          camera     out = (known ? v without bias : unknown) + bias + row + column embedding; extra = row
//                     [GRID_ROWS, N], column [GRID_COLUMNS, N], unknown [N]
//          heads      columns below HEAD_COLUMNS are heads of HEAD_LENGTH: rms-normalised, multiplied by the gain, rotated
//                     by position (matmul-heads.wgsl; extra = rotations); the others out = v. TILE_N is whole heads
// NARROW   1: out is NUMBER, not f32 (STORE packed, and heads where attention takes them so)
// NEXT     1: what the next product multiplies is left, too, with STORE gate: out·(1 + scale)·HEADROOM packed in `next`, the scale
//          at NEXT_BASE of `table`, in rows of NEXT_STRIDE; and after out's rows, [N/SQUARED, tokens], sums of SQUARED squares
//          of it. TILE_N is a multiple of SQUARED
// STAGED   1 where sums lie in `results` before they are stored: [RESULT_SLICES, TILE_M, TILE_N], added over slices
// EARLY    outputs (STORE heads: pairs) of an invocation for which the epilogue's numbers are sent for before the product; 0: after it
#include "launch.wgsl"
#include "activation.wgsl"
#include "narrow.wgsl"

#if PACKED
@group(1) @binding(0) var<storage, read> a: array<NUMBER>;
#elif A_VECTOR
@group(1) @binding(0) var<storage, read> a: array<vec4f>;
#else
@group(1) @binding(0) var<storage, read> a: array<f32>;
#endif
#if WEIGHT == half
@group(1) @binding(1) var<storage, read> weights: array<NUMBER>;
#elif WEIGHT == float
@group(1) @binding(1) var<storage, read> weights: array<vec4f>;
#else
@group(1) @binding(1) var<storage, read> weights: array<u32>;
#endif
@group(1) @binding(2) var<storage, read> columns: array<vec2f>;
#if NARROW
@group(1) @binding(3) var<storage, read_write> out: array<NUMBER>;
#else
@group(1) @binding(3) var<storage, read_write> out: array<f32>;
#endif
@group(1) @binding(4) var<storage, read> table: array<vec4f>;
@group(1) @binding(5) var<storage, read> mask: array<u32>;
#if PROLOGUE == head_gate
@group(1) @binding(6) var<storage, read> extra: array<vec4f>;
#elif STORE == heads
@group(1) @binding(6) var<storage, read> extra: array<vec2f>;
#else
@group(1) @binding(6) var<storage, read> extra: array<f32>;
#endif
@group(1) @binding(7) var<storage, read> tail: array<vec4f>;
#if NEXT
@group(1) @binding(8) var<storage, read_write> next: array<NUMBER>;
#endif
@group(1) @binding(9) var<storage, read> squares: array<f32>;
@group(1) @binding(10) var<storage, read> shifts: array<f32>;

const K4 = (K + 3) / 4;

fn table_row(token: u32) -> u32 {
  return select(0u, launch.level_row, mask[token] != 0u) * (TABLE_STRIDE / 4);
}

#if PROLOGUE == modulate
#include "matmul-modulate.wgsl"
#elif PROLOGUE == head_gate
#include "matmul-head-gate.wgsl"
#elif PROLOGUE == packed_modulated
#include "matmul-packed-rows.wgsl"
#elif PROLOGUE == plain
#include "matmul-plain.wgsl"
#endif
#if UNITS
#include "packed.wgsl"
#endif

// The sum of the product whose prologue it is.
fn whole_sum(sum: f32, tile_row: u32) -> f32 {
#if PROLOGUE == packed_modulated
  return sum * row_factors[tile_row];
#else
  return sum;
#endif
}

// What the shift of the prologue gives.
fn shift_at(row: u32, column: u32) -> f32 {
#if PROLOGUE == packed_modulated
  return shifts[select(0u, launch.level_row, mask[row] != 0u) * N + column];
#else
  return 0.0;
#endif
}

#if NARROW
fn as_out(v: f32) -> NUMBER {
  return narrowed_one(v);
}
#else
fn as_out(v: f32) -> f32 {
  return v;
}
#endif

#if STORE == heads
#include "matmul-heads.wgsl"
#else
// What an output needs beside its sum.
struct Beside {
  // Scale, bias.
  column: vec2f,
  // As it is before.
  old: f32,
  // Gate, or what is added.
  other: f32,
  // What the prologue's shift gives.
  shift: f32,
  // By what the next product multiplies.
  next: f32,
}

fn fetch_beside(row: u32, column: u32) -> Beside {
  var beside = Beside(columns[column], 0.0, 0.0, shift_at(row, column), 0.0);
#if STORE == add
  beside.old = out[row * OUT_STRIDE + column];
#elif STORE == extra
  if (column < EXTRA_COLUMNS) {
    beside.other = extra[row * EXTRA_STRIDE + column];
  }
#elif STORE == gate
  let place = TABLE_GATE + column;
  beside.old = out[row * OUT_STRIDE + column];
  beside.other = table[table_row(row) + place / 4u][place % 4u];
#if NEXT
  let next_place = NEXT_BASE + select(0u, launch.level_row, mask[row] != 0u) * NEXT_STRIDE + column;
  beside.next = 1.0 + table[next_place / 4u][next_place % 4u];
#endif
#elif STORE == sample
  beside.old = out[row * OUT_STRIDE + column];
#endif
  return beside;
}

// @param i index of an output in the tile
fn fetch_beside_at(i: u32, first_row: u32, first_column: u32) -> Beside {
  return fetch_beside(min(first_row + i / TILE_N, launch.tokens - 1u), min(first_column + i % TILE_N, N - 1u));
}

// Returns what the output is then.
fn store(row: u32, column: u32, sum: f32, beside: Beside) -> f32 {
  let at = row * OUT_STRIDE + column;
  let scaled = beside.column.x * sum + beside.shift;
  let bias = beside.column.y;
#if ACTIVATION == gelu
  let v = gelu_tanh(scaled + bias);
#elif ACTIVATION == silu
  let v = silu(scaled + bias);
#else
  let v = scaled + bias;
#endif
#if STORE == set
  out[at] = v;
#elif STORE == packed
  out[packed_at(row, column, N)] = as_out(v);
#elif STORE == unbiased
  out[at] = scaled;
#elif STORE == add
  out[at] = beside.old + v;
#elif STORE == extra
  out[at] = v + beside.other;
#elif STORE == gate
  let changed = beside.old + v * beside.other;
  out[at] = changed;
#if NEXT
  next[packed_at(row, column, N)] = narrowed_one(changed * beside.next * HEADROOM);
#endif
#elif STORE == sample
  if (mask[row] != 0u) {
    out[at] = v + launch.ratio * (beside.old - v);
  }
#elif STORE == camera
  let per_frame = u32(GRID_ROWS * GRID_COLUMNS);
  let cell = row % per_frame;
  let unknown = extra[(GRID_ROWS + GRID_COLUMNS) * N + column];
  out[at] = select(unknown, scaled, mask[row / per_frame] != 0u) + bias
    + extra[(cell / GRID_COLUMNS) * N + column]
    + extra[(GRID_ROWS + cell % GRID_COLUMNS) * N + column];
#endif
#if STORE == gate
  return changed;
#else
  return v;
#endif
}
#endif

#repeat j EARLY
var<private> beside_$j: Beside;
#endrepeat

fn fetch_early(first_row: u32, first_column: u32, lane: u32) {
#repeat j EARLY
  beside_$j = fetch_beside_at(lane + $ju * THREADS, first_row, first_column);
#endrepeat
}

#if STAGED
#if STORE != heads
fn store_result_at(first_row: u32, first_column: u32, i: u32, beside: Beside) {
  let row = first_row + i / TILE_N;
  let column = first_column + i % TILE_N;
  if (row < launch.tokens && column < N) {
    let stored = store(row, column, whole_sum(result(i), i / TILE_N), beside);
#if NEXT
    // No other invocation reads or writes this one.
    results[i] = RESULT(stored);
#endif
  }
}

fn store_results(first_row: u32, first_column: u32, lane: u32) {
#if EARLY
#repeat j EARLY
  store_result_at(first_row, first_column, lane + $ju * THREADS, beside_$j);
#endrepeat
#else
  // Several at a time, so that what they need is on its way together.
  for (var first = lane; first < TILE_M * TILE_N; first += 4u * THREADS) {
#repeat j 4
    let at_$j = min(first + $ju * THREADS, u32(TILE_M * TILE_N - 1));
    let own_$j = fetch_beside_at(at_$j, first_row, first_column);
#endrepeat
#repeat j 4
    if (first + $ju * THREADS < TILE_M * TILE_N) {
      store_result_at(first_row, first_column, at_$j, own_$j);
    }
#endrepeat
  }
#endif
#if NEXT
  workgroupBarrier();
  for (var i = lane; i < TILE_M * (TILE_N / SQUARED); i += THREADS) {
    let row = first_row + i % TILE_M;
    let column = first_column + i / TILE_M * SQUARED;
    if (row < launch.tokens && column < N) {
      let at = i % TILE_M * TILE_N + i / TILE_M * SQUARED;
      var sum = 0.0;
      for (var j = 0u; j < SQUARED; j++) {
        let value = f32(results[at + j]);
        sum += value * value;
      }
      out[launch.tokens * N + column / SQUARED * launch.tokens + row] = sum;
    }
  }
#endif
}
#endif

fn result(i: u32) -> f32 {
  var sum = f32(results[i]);
  for (var slice = 1u; slice < RESULT_SLICES; slice++) {
    sum += f32(results[slice * (TILE_M * TILE_N) + i]);
  }
  return sum;
}
#endif
