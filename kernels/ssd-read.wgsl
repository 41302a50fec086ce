// Tiled `ssd` scan, what tokens read: a workgroup makes 64 columns of the values of 16 tokens of one head, from the state
// before the pass and the tokens before. Grid (column tiles · ⌈block's tokens / 16⌉, heads, rollouts · blocks).
//   projection [tokens, STRIDE]  f32: raw keys, queries, values of all heads, one write and one decay logit a head
//   state      [slots, blocks, HEADS, KEY_LENGTH, VALUE_LENGTH]  f32, before the pass
//   out        [tokens, HEADS·VALUE_LENGTH]  f32
@group(1) @binding(0) var<storage, read> projection: array<f32>;
@group(1) @binding(1) var<storage, read> state: array<f32>;
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

#include "ssd-tiles.wgsl"

// Groups of four numbers of keys and queries staged at a time, and the distance between two vectors of them.
const SLICE4 = 16u;
const PITCH4 = 17u;

var<workgroup> queries: array<vec4f, 16 * PITCH4>;
var<workgroup> keys: array<vec4f, 16 * PITCH4>;
// [query, key]: how much of the key's value the query reads.
var<workgroup> scores: array<f32, 256>;
var<workgroup> query_sums: array<f32, 16>;
var<workgroup> query_length: array<f32, 16>;

fn stage_queries(head: u32, first: u32, length: u32, slice: u32, lane: u32) {
  let token = first + lane / SLICE4;
  let i = slice + lane % SLICE4;
  var value = vec4f(0.0);
  if (token < length && i < KEY4) {
    value = vector_at(token_at(token), QUERIES + head * KEY_LENGTH, i);
  }
  queries[(lane / SLICE4) * PITCH4 + lane % SLICE4] = value;
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let length = launch.frames * BLOCK_TOKENS;
  let first = (group.x / VALUE_TILES) * 16u;
  let column = (group.x % VALUE_TILES) * 64u + lane % 64u;
  let used = column < VALUE_LENGTH;
  // For scores an invocation is a query and a key, for sums four queries (from `quad` on) and a column.
  let query = lane / 16u;
  let key = lane % 16u;
  let quad = 4u * (lane / 64u);

  load_tile(head, first, length, QUERIES + head * KEY_LENGTH, lane);
  if (lane < 16u) {
    query_sums[lane] = tile_sums[lane];
    query_length[lane] = inverse_length[lane];
  }
  workgroupBarrier();

  var sums = vec4f(0.0);
  // Log decay of the whole tiles between the queries' tile and the one at hand.
  var between = 0.0;
  for (var back = 0u; back <= first; back += 16u) {
    let at = first - back;
    load_tile(head, at, length, KEYS + head * KEY_LENGTH, lane);
    var score = 0.0;
    for (var slice = 0u; slice < KEY4; slice += SLICE4) {
      stage_queries(head, first, length, slice, lane);
      let i = slice + lane % SLICE4;
      var value = vec4f(0.0);
      if (at + lane / SLICE4 < length && i < KEY4) {
        value = vector_at(token_at(at + lane / SLICE4), KEYS + head * KEY_LENGTH, i);
      }
      keys[(lane / SLICE4) * PITCH4 + lane % SLICE4] = value;
      workgroupBarrier();
      for (var j = 0u; j < SLICE4; j++) {
        score += dot(queries[query * PITCH4 + j], keys[key * PITCH4 + j]);
      }
      workgroupBarrier();
    }
    var decay = query_sums[query] - tile_sums[key];
    if (back > 0u) {
      decay += between + tile_sums[15];
    }
    let sees = back > 0u || key <= query;
    scores[lane] = select(0.0, score * inverse_length[key] * tile_writes[key] * exp(min(decay, 0.0)), sees);
    workgroupBarrier();
    if (used) {
      for (var j = 0u; j < min(16u, length - at); j++) {
        let value = projection[token_at(at + j) * STRIDE + VALUES + head * VALUE_LENGTH + column];
        sums += value * vec4f(scores[16u * quad + j], scores[16u * (quad + 1u) + j],
            scores[16u * (quad + 2u) + j], scores[16u * (quad + 3u) + j]);
      }
    }
    between += select(0.0, tile_sums[15], back > 0u);
    workgroupBarrier();
  }

  var carried = vec4f(0.0);
  for (var slice = 0u; slice < KEY4; slice += SLICE4) {
    stage_queries(head, first, length, slice, lane);
    workgroupBarrier();
    if (used) {
      for (var j = 0u; j < min(SLICE4, KEY4 - slice); j++) {
        let state_at = (((state_block * HEADS + head) * KEY_LENGTH) + 4u * (slice + j)) * VALUE_LENGTH + column;
        let s = vec4f(state[state_at], state[state_at + VALUE_LENGTH], state[state_at + 2u * VALUE_LENGTH],
            state[state_at + 3u * VALUE_LENGTH]);
        carried += vec4f(dot(s, queries[quad * PITCH4 + j]), dot(s, queries[(quad + 1u) * PITCH4 + j]),
            dot(s, queries[(quad + 2u) * PITCH4 + j]), dot(s, queries[(quad + 3u) * PITCH4 + j]));
      }
    }
    workgroupBarrier();
  }
  if (used) {
    for (var i = 0u; i < 4u; i++) {
      if (first + quad + i < length) {
        let y = (sums[i] + carried[i] * exp(between + query_sums[quad + i])) * query_length[quad + i];
        out[token_at(first + quad + i) * (HEADS * VALUE_LENGTH) + head * VALUE_LENGTH + column] = y;
      }
    }
  }
}
