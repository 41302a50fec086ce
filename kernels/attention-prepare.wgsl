// Queries and keys of frame-local attention, in place: rms-normalised a head, multiplied by a gain, rotated by position.
//   qkv       [tokens, 3·HEADS·HEAD_LENGTH]  f32: queries, keys, values; values stay as they are
//   gains     [2, HEAD_LENGTH]               f32: query gain, key gain
//   rotations [(frames + GRID_ROWS + GRID_COLUMNS)·…]  vec2f cos, sin: row [GRID_ROWS, ROW_PAIRS], column
//             [GRID_COLUMNS, COLUMN_PAIRS], time [frames, TIME_PAIRS]
// Pairs (2j, 2j+1) are rotated: first TIME_PAIRS by time, then ROW_PAIRS by row, then COLUMN_PAIRS by column.
// One invocation a token, head and kind (query, key).
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read_write> qkv: array<vec2f>;
@group(1) @binding(1) var<storage, read> gains: array<vec2f>;
@group(1) @binding(2) var<storage, read> rotations: array<vec2f>;

const PAIRS = HEAD_LENGTH / 2;
const TIMES = GRID_ROWS * ROW_PAIRS + GRID_COLUMNS * COLUMN_PAIRS;

fn rotation(token: u32, pair: u32) -> vec2f {
  let cell = token % (GRID_ROWS * GRID_COLUMNS);
  if (pair < TIME_PAIRS) {
    return rotations[TIMES + (token / (GRID_ROWS * GRID_COLUMNS)) * TIME_PAIRS + pair];
  }
  if (pair < TIME_PAIRS + ROW_PAIRS) {
    return rotations[(cell / GRID_COLUMNS) * ROW_PAIRS + pair - TIME_PAIRS];
  }
  return rotations[GRID_ROWS * ROW_PAIRS + (cell % GRID_COLUMNS) * COLUMN_PAIRS + pair - TIME_PAIRS - ROW_PAIRS];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let vector = id.x % (2 * HEADS);
  let token = id.x / (2 * HEADS);
  if (token >= launch.tokens) {
    return;
  }
  let start = token * (3 * HEADS * PAIRS) + vector * PAIRS;
  let gain = (vector / HEADS) * PAIRS;
  var sum = 0.0;
  for (var pair = 0u; pair < PAIRS; pair++) {
    sum += dot(qkv[start + pair], qkv[start + pair]);
  }
  let scale = inverseSqrt(sum / f32(HEAD_LENGTH) + 1e-6);
  for (var pair = 0u; pair < PAIRS; pair++) {
    let x = qkv[start + pair] * scale * gains[gain + pair];
    let turn = rotation(token, pair);
    qkv[start + pair] = vec2f(x.x * turn.x - x.y * turn.y, x.x * turn.y + x.y * turn.x);
  }
}
