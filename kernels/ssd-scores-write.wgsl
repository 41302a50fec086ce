// Short `ssd` scan, the state after the pass: a workgroup makes 16 × 16 numbers of one head's state in place, the product
// of weighted keys with values. Its 256 invocations are 16 slices of the tokens; of a slice, every invocation makes 4 × 4
// numbers straight from memory. Runs after ssd-scores-read.wgsl, which needs the state as it was.
// Grid (column tiles · ⌈KEY_LENGTH / 16⌉, heads, rollouts · blocks).
//   projection, state: ssd-scores-read.wgsl; weighted: ssd-scores-shape.wgsl
@group(1) @binding(0) var<storage, read> projection: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> state: array<vec4f>;
@group(1) @binding(4) var<storage, read> weighted: array<vec4f>;

#include "ssd-scores-shape.wgsl"

const COLUMN_TILES = (VALUE_LENGTH + 15) / 16;
// Tokens that an invocation takes at once.
const DEPTH = 8u;
const ALL_SLICES = 16u * DEPTH;

// [slice, row of four, invocation of the slice]
var<workgroup> parts: array<vec4f, 1024>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let length = block_length();
  let padded = padded_length();
  let slice = lane / 16u;
  let rows4 = group.x / COLUMN_TILES * 4u + lane % 16u / 4u;
  let column4 = group.x % COLUMN_TILES * 4u + lane % 4u;
  let read4 = min(column4, VALUE4 - 1u);

  // The first four slices finish a row of four each.
  let row = 4u * rows4 + slice;
  let finishes = lane < 64u && row < KEY_LENGTH && column4 < VALUE4;
  let weighted_at = (group.z * HEADS + head) * (padded * KEY4 + 1u);
  let state_at = ((state_block * HEADS + head) * KEY_LENGTH + row) * VALUE4 + column4;
  var before = vec4f(0.0);
  if (finishes) {
    before = weighted[weighted_at + padded * KEY4].x * state[state_at];
  }

  let keys_at = weighted_at + min(rows4, KEY4 - 1u);
  let values_at = VALUES / 4 + head * VALUE4 + read4;
  var sums: array<vec4f, 4>;
  for (var i = DEPTH * slice; i < length; i += ALL_SLICES) {
    var keys: array<vec4f, 8>;
    var values: array<vec4f, 8>;
    for (var j = 0u; j < DEPTH; j++) {
      keys[j] = weighted[keys_at + (i + j) * KEY4];
      values[j] = projection[token_at(min(i + j, length - 1u)) * STRIDE4 + values_at];
    }
    for (var j = 0u; j < DEPTH; j++) {
      for (var r = 0u; r < 4u; r++) {
        sums[r] += keys[j][r] * values[j];
      }
    }
  }

  for (var r = 0u; r < 4u; r++) {
    parts[64u * slice + 16u * r + lane % 16u] = sums[r];
  }
  workgroupBarrier();
  if (finishes) {
    var sum = before;
    for (var i = 0u; i < 16u; i++) {
      sum += parts[64u * i + lane];
    }
    state[state_at] = sum;
  }
}
