// Tiled `ssd` scan, the state after the pass: a workgroup makes 16 × 64 numbers of one head's state in place. Runs after
// ssd-read.wgsl, which needs the state as it was. Grid (⌈KEY_LENGTH / 16⌉ · column tiles, heads, rollouts · blocks).
//   projection, state: ssd-read.wgsl
@group(1) @binding(0) var<storage, read> projection: array<f32>;
@group(1) @binding(1) var<storage, read_write> state: array<f32>;

#include "ssd-tiles.wgsl"

// [token, row]: part of each key with all that its value is multiplied by.
var<workgroup> weights: array<f32, 256>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let length = launch.frames * BLOCK_TOKENS;
  let first_row = (group.x / VALUE_TILES) * 16u;
  let column = (group.x % VALUE_TILES) * 64u + lane % 64u;
  let used = column < VALUE_LENGTH;
  let quad = 4u * (lane / 64u);

  var sums = vec4f(0.0);
  // Log decay of the tiles after the one at hand.
  var after = 0.0;
  let tiles = (length + 15u) / 16u;
  for (var back = 0u; back < tiles; back++) {
    let at = (tiles - 1u - back) * 16u;
    load_tile(head, at, length, KEYS + head * KEY_LENGTH, lane);
    let token = lane / 16u;
    let row = first_row + lane % 16u;
    var weight = 0.0;
    if (at + token < length && row < KEY_LENGTH) {
      weight = projection[token_at(at + token) * STRIDE + KEYS + head * KEY_LENGTH + row] *
          inverse_length[token] * tile_writes[token] * exp(after + tile_sums[15] - tile_sums[token]);
    }
    weights[lane] = weight;
    workgroupBarrier();
    if (used) {
      for (var j = 0u; j < min(16u, length - at); j++) {
        let value = projection[token_at(at + j) * STRIDE + VALUES + head * VALUE_LENGTH + column];
        sums += value * vec4f(weights[16u * j + quad], weights[16u * j + quad + 1u], weights[16u * j + quad + 2u],
            weights[16u * j + quad + 3u]);
      }
    }
    after += tile_sums[15];
    workgroupBarrier();
  }
  if (used) {
    for (var i = 0u; i < 4u; i++) {
      let row = first_row + quad + i;
      if (row < KEY_LENGTH) {
        let state_at = ((state_block * HEADS + head) * KEY_LENGTH + row) * VALUE_LENGTH + column;
        state[state_at] = exp(after) * state[state_at] + sums[i];
      }
    }
  }
}
