// Include: the frame of a block-wise scan (docs/model.md, Layer 1). A workgroup scans one block of one head, for
// GROUP_COLUMNS columns of the state; an invocation keeps one column [KEY_LENGTH] in registers, so nothing is reduced
// across invocations. Grid (⌈VALUE_LENGTH/GROUP_COLUMNS⌉, heads, blocks).
//   projection [tokens, STRIDE]  f32: raw keys, queries, values of all heads at columns KEYS, QUERIES, VALUES, then
//                                one write and one decay logit a head at columns WRITES, DECAYS
//   state      [blocks, HEADS, KEY_LENGTH, VALUE_LENGTH]  f32; written only with COMMIT
//   out        [tokens, HEADS·VALUE_LENGTH]  f32
// GRID_ROWS, GRID_COLUMNS: token grid; BLOCK_ROWS, BLOCK_COLUMNS: the block. TILE: tokens staged at a time.
// The including file gives `advance(i, value) -> y`: one step of the recurrence with the i-th staged token.
#include "launch.wgsl"
#include "activation.wgsl"

@group(1) @binding(0) var<storage, read> projection: array<f32>;
#if COMMIT
@group(1) @binding(1) var<storage, read_write> state: array<f32>;
#else
@group(1) @binding(1) var<storage, read> state: array<f32>;
#endif
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

const KEY4 = KEY_LENGTH / 4;
const BLOCK_TOKENS = BLOCK_ROWS * BLOCK_COLUMNS;
const BLOCKS_ACROSS = GRID_COLUMNS / BLOCK_COLUMNS;

// Keys, then queries, of TILE tokens; raw: their inverse lengths are kept beside them.
var<workgroup> staged: array<vec4f, 2 * TILE * KEY4>;
var<workgroup> inverse_length: array<f32, 2 * TILE>;
var<workgroup> write_strength: array<f32, TILE>;
// 1 − e^g: kept instead of e^g because slow decays differ from 1 by only a few units in the last place.
var<workgroup> forgotten: array<f32, TILE>;

var<private> column: array<vec4f, KEY4>;

// The token at place `i` of the block's sequence: frames, then rows, then columns.
fn token_at(block: u32, i: u32) -> u32 {
  let frame = i / BLOCK_TOKENS;
  let row = (block / BLOCKS_ACROSS) * BLOCK_ROWS + (i % BLOCK_TOKENS) / BLOCK_COLUMNS;
  let grid_column = (block % BLOCKS_ACROSS) * BLOCK_COLUMNS + i % BLOCK_COLUMNS;
  return (frame * GRID_ROWS + row) * GRID_COLUMNS + grid_column;
}

fn stage(block: u32, head: u32, first: u32, length: u32, lane: u32) {
  for (var i = lane; i < 2 * TILE * KEY4; i += GROUP_COLUMNS) {
    let vector = i / KEY4;
    let token = first + vector % TILE;
    if (token < length) {
      let start = select(u32(QUERIES), u32(KEYS), vector < TILE) + head * KEY_LENGTH + (i % KEY4) * 4;
      let at = token_at(block, token) * STRIDE + start;
      staged[i] = vec4f(projection[at], projection[at + 1], projection[at + 2], projection[at + 3]);
    }
  }
  workgroupBarrier();
  for (var vector = lane; vector < 2 * TILE; vector += GROUP_COLUMNS) {
    var sum = 0.0;
    for (var i = 0u; i < KEY4; i++) {
      let part = staged[vector * KEY4 + i];
      sum += dot(part, part);
    }
    inverse_length[vector] = inverseSqrt(sum + 1e-6);
  }
  for (var i = lane; i < TILE; i += GROUP_COLUMNS) {
    if (first + i < length) {
      let at = token_at(block, first + i) * STRIDE + head;
      write_strength[i] = sigmoid(projection[at + WRITES]);
      forgotten[i] = sigmoid(projection[at + DECAYS]);
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(GROUP_COLUMNS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let block = group.z;
  let head = group.y;
  let value_column = group.x * GROUP_COLUMNS + lane;
  let used = value_column < VALUE_LENGTH;
  let length = launch.frames * BLOCK_TOKENS;
  let state_at = (block * HEADS + head) * (KEY_LENGTH * VALUE_LENGTH) + value_column;
  if (used) {
    for (var i = 0u; i < KEY4; i++) {
      let at = state_at + i * 4 * VALUE_LENGTH;
      column[i] = vec4f(state[at], state[at + VALUE_LENGTH], state[at + 2 * VALUE_LENGTH], state[at + 3 * VALUE_LENGTH]);
    }
  }
  for (var first = 0u; first < length; first += TILE) {
    stage(block, head, first, length, lane);
    if (used) {
      for (var i = 0u; i < min(u32(TILE), length - first); i++) {
        let token = token_at(block, first + i);
        let value = projection[token * STRIDE + VALUES + head * VALUE_LENGTH + value_column];
        out[token * (HEADS * VALUE_LENGTH) + head * VALUE_LENGTH + value_column] = advance(i, value);
      }
    }
    workgroupBarrier();
  }
#if COMMIT
  if (used) {
    for (var i = 0u; i < KEY4; i++) {
      let at = state_at + i * 4 * VALUE_LENGTH;
      state[at] = column[i].x;
      state[at + VALUE_LENGTH] = column[i].y;
      state[at + 2 * VALUE_LENGTH] = column[i].z;
      state[at + 3 * VALUE_LENGTH] = column[i].w;
    }
  }
#endif
}
