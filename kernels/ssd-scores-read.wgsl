// Short `ssd` scan, what tokens read: a workgroup makes 32 columns of the values of 16 tokens of one head, the product of
// scores with values and of decayed queries with the state before the pass. Its 256 invocations are 8 slices of the depth;
// of a slice, every invocation makes 4 × 4 outputs straight from memory. Grid (column tiles · ⌈block's tokens / 16⌉, heads,
// rollouts · blocks).
//   projection [tokens, STRIDE]  f32: values of all heads at column VALUES
//   state      [slots, blocks, HEADS, KEY_LENGTH, VALUE_LENGTH]  f32, before the pass
//   out        [tokens, HEADS·VALUE_LENGTH]  f32
//   scores     ssd-scores-shape.wgsl
@group(1) @binding(0) var<storage, read> projection: array<vec4f>;
@group(1) @binding(1) var<storage, read> state: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(1) @binding(3) var<storage, read> scores: array<vec4f>;

#include "ssd-scores-shape.wgsl"

const COLUMN_TILES = (VALUE_LENGTH + 31) / 32;
// Tokens of which an invocation takes the parts at once.
const DEPTH = 8u;
const ALL_SLICES = 8u * DEPTH;

// [slice, row of four, invocation of the slice]
var<workgroup> parts: array<vec4f, 1024>;

// Adds what four rows of a matrix, `pitch` apart, read of DEPTH vectors.
fn add(at: u32, pitch: u32, vectors: array<vec4f, 8>, sums: ptr<function, array<vec4f, 4>>) {
  var factors: array<vec4f, 8>;
  for (var r = 0u; r < 4u; r++) {
    factors[2u * r] = scores[at + r * pitch];
    factors[2u * r + 1u] = scores[at + r * pitch + 1u];
  }
  for (var r = 0u; r < 4u; r++) {
    for (var half = 0u; half < 2u; half++) {
      let f = factors[2u * r + half];
      (*sums)[r] += f.x * vectors[4u * half];
      (*sums)[r] += f.y * vectors[4u * half + 1u];
      (*sums)[r] += f.z * vectors[4u * half + 2u];
      (*sums)[r] += f.w * vectors[4u * half + 3u];
    }
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let length = block_length();
  let padded = padded_length();
  // The last tokens first: they read most.
  let first = 16u * ((length + 15u) / 16u - 1u - group.x / COLUMN_TILES);
  let slice = lane / 32u;
  let down = lane % 32u / 8u;
  let column4 = group.x % COLUMN_TILES * 8u + lane % 8u;
  let read4 = min(column4, VALUE4 - 1u);
  let pitch = score_pitch();
  let row_at = ((group.z * HEADS + head) * padded + first + 4u * down) * pitch;

  var sums: array<vec4f, 4>;
  var vectors: array<vec4f, 8>;
  let state_at = (state_block * HEADS + head) * KEY_LENGTH * VALUE4 + read4;
  for (var i = DEPTH * slice; i < KEY_LENGTH; i += ALL_SLICES) {
    for (var j = 0u; j < DEPTH; j++) {
      vectors[j] = state[state_at + (i + j) * VALUE4];
    }
    add(row_at + (padded + i) / 4u, pitch, vectors, &sums);
  }
  let values_at = VALUES / 4 + head * VALUE4 + read4;
  for (var i = DEPTH * slice; i < first + 16u; i += ALL_SLICES) {
    for (var j = 0u; j < DEPTH; j++) {
      vectors[j] = projection[token_at(min(i + j, length - 1u)) * STRIDE4 + values_at];
    }
    add(row_at + i / 4u, pitch, vectors, &sums);
  }

  for (var r = 0u; r < 4u; r++) {
    parts[128u * slice + 32u * r + lane % 32u] = sums[r];
  }
  workgroupBarrier();
  let token = first + 4u * down + slice;
  if (lane < 128u && token < length && column4 < VALUE4) {
    var sum = parts[lane];
    for (var i = 1u; i < 8u; i++) {
      sum += parts[128u * i + lane];
    }
    out[(token_at(token) * HEADS + head) * VALUE4 + column4] = sum;
  }
}
