// Include: the frame of a block-wise scan (docs/model.md, Layer 1). A workgroup scans one block of one head, for
// GROUP_COLUMNS columns of the state; PARTS invocations share a column, each keeps KEY_LENGTH / PARTS numbers of it in
// registers. With s the decayed column, k·s and q·s are added up across the parts in one go, because what is read after
// the write, q·(s + w·k), is q·s + w·(q·k). Grid (⌈VALUE_LENGTH/GROUP_COLUMNS⌉, heads, rollouts · blocks).
//   projection [tokens, STRIDE]  f32: raw keys, queries, values of all heads at columns KEYS, QUERIES, VALUES, then
//                                one write and one decay logit a head at columns WRITES, DECAYS
//   state      [slots, blocks, HEADS, KEY_LENGTH, VALUE_LENGTH]  f32; written only with COMMIT
//   out        [tokens, HEADS·VALUE_LENGTH]  f32
// GRID_ROWS, GRID_COLUMNS: token grid; BLOCK_ROWS, BLOCK_COLUMNS: the block. TILE: tokens staged at a time.
// PART4: vectors of four that an invocation keeps of a column. VECTORS, NUMBERS, LOGITS: how many vectors of keys and queries,
// values, and pairs of logits it reads of a tile.
// The including file gives `written(i, value, recalled) -> w`: by how much of its key the i-th staged token changes a
// column, where `recalled` is k·s with the key as it is staged.
#include "launch.wgsl"
#include "activation.wgsl"
#include "blocks.wgsl"

@group(1) @binding(0) var<storage, read> projection: array<f32>;
#if COMMIT
@group(1) @binding(1) var<storage, read_write> state: array<f32>;
#else
@group(1) @binding(1) var<storage, read> state: array<f32>;
#endif
@group(1) @binding(2) var<storage, read_write> out: array<f32>;

const KEY4 = KEY_LENGTH / 4;
const LANES = GROUP_COLUMNS * PARTS;
// Invocations that add up one scalar product of staged vectors.
const SHARES = 4u;

// Keys, then queries, of TILE tokens; raw: their inverse lengths are kept beside them.
var<workgroup> staged: array<vec4f, 2 * TILE * KEY4>;
var<workgroup> values: array<f32, TILE * GROUP_COLUMNS>;
// Shares of k·k, q·q and k·q of every token.
var<workgroup> products: array<f32, 3 * TILE * SHARES>;
var<workgroup> inverse_length: array<f32, 2 * TILE>;
var<workgroup> key_query: array<f32, TILE>;
var<workgroup> write_strength: array<f32, TILE>;
// 1 − e^g: kept instead of e^g because slow decays differ from 1 by only a few units in the last place.
var<workgroup> forgotten: array<f32, TILE>;
// k·s and q·s by part and column, for even and for odd tokens.
var<workgroup> parts: array<vec2f, 2 * LANES>;

// PART4 vectors of a column of the state, and the projection's numbers for the tile of tokens that comes next: variables of
// their own, so that compilers keep them in registers.
#repeat j PART4
var<private> column_$j: vec4f;
#endrepeat
#repeat j VECTORS
var<private> next_vector_$j: vec4f;
#endrepeat
#repeat j NUMBERS
var<private> next_value_$j: f32;
#endrepeat
#repeat j LOGITS
var<private> next_logits_$j: vec2f;
#endrepeat

// Four numbers of a key or query of a tile; zero past the end.
fn vector_at(i: u32, head: u32, first: u32, length: u32) -> vec4f {
  let vector = i / KEY4;
  let token = first + vector % TILE;
  if (token >= length) {
    return vec4f(0.0);
  }
  let start = select(u32(QUERIES), u32(KEYS), vector < TILE) + head * KEY_LENGTH + (i % KEY4) * 4;
  let at = token_at(token) * STRIDE + start;
  return vec4f(projection[at], projection[at + 1], projection[at + 2], projection[at + 3]);
}

fn value_at(i: u32, head: u32, first: u32, length: u32, first_column: u32) -> f32 {
  let token = first + i / GROUP_COLUMNS;
  let value_column = first_column + i % GROUP_COLUMNS;
  if (token >= length || value_column >= VALUE_LENGTH) {
    return 0.0;
  }
  return projection[token_at(token) * STRIDE + VALUES + head * VALUE_LENGTH + value_column];
}

// Write and decay logit.
fn logits_at(i: u32, head: u32, first: u32, length: u32) -> vec2f {
  if (i >= TILE || first + i >= length) {
    return vec2f(0.0);
  }
  let at = token_at(first + i) * STRIDE + head;
  return vec2f(projection[at + WRITES], projection[at + DECAYS]);
}

// Sends for a tile, which arrives while the tokens of the one before are worked on.
fn fetch(head: u32, first: u32, length: u32, first_column: u32, lane: u32) {
#repeat j VECTORS
  next_vector_$j = vector_at(lane + $ju * LANES, head, first, length);
#endrepeat
#repeat j NUMBERS
  next_value_$j = value_at(lane + $ju * LANES, head, first, length, first_column);
#endrepeat
#repeat j LOGITS
  next_logits_$j = logits_at(lane + $ju * LANES, head, first, length);
#endrepeat
}

// Puts the tile that was fetched in its place and sends for the one after it.
fn stage(head: u32, first: u32, length: u32, first_column: u32, lane: u32) {
#repeat j VECTORS
  if (lane + $ju * LANES < 2 * TILE * KEY4) {
    staged[lane + $ju * LANES] = next_vector_$j;
  }
#endrepeat
#repeat j NUMBERS
  if (lane + $ju * LANES < TILE * GROUP_COLUMNS) {
    values[lane + $ju * LANES] = next_value_$j;
  }
#endrepeat
#repeat j LOGITS
  if (lane + $ju * LANES < TILE) {
    write_strength[lane + $ju * LANES] = sigmoid(next_logits_$j.x);
    forgotten[lane + $ju * LANES] = sigmoid(next_logits_$j.y);
  }
#endrepeat
  fetch(head, first + TILE, length, first_column, lane);
  workgroupBarrier();
  for (var i = lane; i < 3 * TILE * SHARES; i += LANES) {
    let token = (i / SHARES) % TILE;
    let kind = i / (SHARES * TILE);
    // Vectors of k·k, q·q, k·q.
    let left = (select(token, TILE + token, kind == 1u)) * KEY4;
    let right = (select(TILE + token, token, kind == 0u)) * KEY4;
    var sum = 0.0;
    for (var j = i % SHARES; j < KEY4; j += SHARES) {
      sum += dot(staged[left + j], staged[right + j]);
    }
    products[i] = sum;
  }
  workgroupBarrier();
  for (var i = lane; i < 3 * TILE; i += LANES) {
    var sum = 0.0;
    for (var share = 0u; share < SHARES; share++) {
      sum += products[i * SHARES + share];
    }
    if (i < 2 * TILE) {
      inverse_length[i] = inverseSqrt(sum + 1e-6);
    } else {
      key_query[i - 2 * TILE] = sum;
    }
  }
  workgroupBarrier();
}

fn state_vector(at: u32) -> vec4f {
  return vec4f(state[at], state[at + VALUE_LENGTH], state[at + 2 * VALUE_LENGTH], state[at + 3 * VALUE_LENGTH]);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let own = lane % GROUP_COLUMNS;
  let part = lane / GROUP_COLUMNS;
  let first_column = group.x * GROUP_COLUMNS;
  let used = first_column + own < VALUE_LENGTH;
  let length = launch.frames * BLOCK_TOKENS;
  let state_at = ((state_block * HEADS + head) * KEY_LENGTH + part * 4 * PART4) * VALUE_LENGTH + first_column + own;
  fetch(head, 0u, length, first_column, lane);
  if (used) {
#repeat j PART4
    column_$j = state_vector(state_at + $ju * (4 * VALUE_LENGTH));
#endrepeat
  }
  for (var first = 0u; first < length; first += TILE) {
    stage(head, first, length, first_column, lane);
    for (var i = 0u; i < min(u32(TILE), length - first); i++) {
      let forget = forgotten[i];
      let key = i * KEY4 + part * PART4;
      let query = (TILE + i) * KEY4 + part * PART4;
      var sums = vec2f(0.0);
#repeat j PART4
      column_$j -= forget * column_$j;
      sums += vec2f(dot(column_$j, staged[key + $ju]), dot(column_$j, staged[query + $ju]));
#endrepeat
      let turn = (i % 2u) * LANES;
      parts[turn + lane] = sums;
      workgroupBarrier();
      sums = vec2f(0.0);
      for (var other = 0u; other < PARTS; other++) {
        sums += parts[turn + other * GROUP_COLUMNS + own];
      }
      let write = written(i, values[i * GROUP_COLUMNS + own], sums.x);
#repeat j PART4
      column_$j += write * staged[key + $ju];
#endrepeat
      if (part == 0u && used) {
        let at = token_at(first + i) * (HEADS * VALUE_LENGTH) + head * VALUE_LENGTH + first_column + own;
        out[at] = (sums.y + write * key_query[i]) * inverse_length[TILE + i];
      }
    }
    workgroupBarrier();
  }
#if COMMIT
  if (used) {
#repeat j PART4
    for (var i = 0u; i < 4; i++) {
      state[state_at + ($ju * 4 + i) * VALUE_LENGTH] = column_$j[i];
    }
#endrepeat
  }
#endif
}
