// Short `ssd` scan, what tokens read: a workgroup makes 32 columns of the values of 16 tokens of one head, the product of
// decayed queries with the state before the pass and of scores with values. Grid (column tiles · ⌈block's tokens / 16⌉,
// heads, rollouts · blocks).
//   projection [tokens, STRIDE]  f32: values of all heads at column VALUES
//   state      [slots, blocks, HEADS, KEY_LENGTH, VALUE_LENGTH]  f32, before the pass
//   out        [tokens, HEADS·VALUE_LENGTH]  f32
//   scores     ssd-scores-shape.wgsl
// KEY_TURNS: turns that the state takes, ⌈KEY_LENGTH / 64⌉
// The depth of the product is taken in turns of 64. What four turns need is under way at the same time, in registers; of a
// turn, each of eight groups of 32 invocations adds up another eighth, every invocation for 4 × 4 outputs.
@group(1) @binding(0) var<storage, read> projection: array<vec4f>;
@group(1) @binding(1) var<storage, read> state: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;
@group(1) @binding(3) var<storage, read> scores: array<vec4f>;

#include "ssd-scores-shape.wgsl"

const COLUMN_TILES = (VALUE_LENGTH + 31) / 32;
// Distance between two rows of factors, and where the vectors begin behind them.
const PITCH4 = 17u;
const VECTORS = 16u * PITCH4;

// Of a turn: factors [token, depth / 4], then vectors [depth, column / 4]. In the end sums [group, row, invocation].
var<workgroup> staged: array<vec4f, 1024>;

// What an invocation brings to a turn.
struct Share {
  factor: vec4f,
  first: vec4f,
  second: vec4f,
}

// The workgroup's place.
struct Tile {
  head: u32,
  // Row of the scores, row of the state, first token and first group of four columns.
  scores_row: u32,
  state_row: u32,
  token: u32,
  column4: u32,
}

// Turn of decayed queries and the state.
fn load_state(tile: Tile, turn: u32, lane: u32) -> Share {
  var share = Share(vec4f(0.0), vec4f(0.0), vec4f(0.0));
  let depth4 = 16u * turn + lane % 16u;
  let row = 64u * turn + lane / 8u;
  let at = (tile.state_row + row) * VALUE4 + min(tile.column4 + lane % 8u, VALUE4 - 1u);
  if (KEY_LENGTH % 64 == 0 || depth4 < KEY4) {
    share.factor = scores[(tile.scores_row + lane / 16u) * SCORES4 + PADDED / 4 + depth4];
  }
  if (KEY_LENGTH % 64 == 0 || row < KEY_LENGTH) {
    share.first = state[at];
  }
  if (KEY_LENGTH % 64 == 0 || row + 32u < KEY_LENGTH) {
    share.second = state[at + 32u * VALUE4];
  }
  return share;
}

// Turn of scores and values; nothing beyond the tile's last token, which reads none after it.
fn load_values(tile: Tile, turn: u32, lane: u32) -> Share {
  var share = Share(vec4f(0.0), vec4f(0.0), vec4f(0.0));
  let depth4 = 16u * turn + lane % 16u;
  let row = 64u * turn + lane / 8u;
  let end = tile.token + 16u;
  let column = VALUES / 4 + tile.head * VALUE4 + min(tile.column4 + lane % 8u, VALUE4 - 1u);
  if (4u * depth4 < end) {
    share.factor = scores[(tile.scores_row + lane / 16u) * SCORES4 + depth4];
  }
  if (row < min(end, TOKENS)) {
    share.first = projection[token_at(row) * STRIDE4 + column];
  }
  if (row + 32u < min(end, TOKENS)) {
    share.second = projection[token_at(row + 32u) * STRIDE4 + column];
  }
  return share;
}

fn stage(share: Share, lane: u32) {
  staged[lane / 16u * PITCH4 + lane % 16u] = share.factor;
  staged[VECTORS + lane] = share.first;
  staged[VECTORS + 256u + lane] = share.second;
}

// Adds what a staged turn gives to the sums of four tokens, four rows apart.
fn add_turn(lane: u32, sums: ptr<function, array<vec4f, 4>>) {
  workgroupBarrier();
  let down = lane % 32u / 8u;
  for (var half = 0u; half < 2u; half++) {
    let depth4 = lane / 32u * 2u + half;
    let at = VECTORS + 32u * depth4 + lane % 8u;
    let v0 = staged[at];
    let v1 = staged[at + 8u];
    let v2 = staged[at + 16u];
    let v3 = staged[at + 24u];
    for (var r = 0u; r < 4u; r++) {
      let factor = staged[(4u * r + down) * PITCH4 + depth4];
      (*sums)[r] += factor.x * v0;
      (*sums)[r] += factor.y * v1;
      (*sums)[r] += factor.z * v2;
      (*sums)[r] += factor.w * v3;
    }
  }
  workgroupBarrier();
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z, FRAMES);
  let head = group.y;
  // The last tokens first: they read most.
  let first = 16u * ((TOKENS + 15) / 16 - 1 - group.x / COLUMN_TILES);
  var tile: Tile;
  tile.head = head;
  tile.scores_row = (group.z * HEADS + head) * PADDED + first;
  tile.state_row = (state_block * HEADS + head) * KEY_LENGTH;
  tile.token = first;
  tile.column4 = group.x % COLUMN_TILES * 8u;

  let turns = KEY_TURNS + (first + 16u + 63u) / 64u;
  var sums: array<vec4f, 4>;
  // First what does not wait for the launch values, by which the state is found.
  var share3 = load_values(tile, 3u - KEY_TURNS, lane);
  var share2 = load_values(tile, 2u - KEY_TURNS, lane);
#if KEY_TURNS == 2
  var share1 = load_state(tile, 1u, lane);
#else
  var share1 = load_values(tile, 0u, lane);
#endif
  var share0 = load_state(tile, 0u, lane);
  for (var turn = 0u; turn < turns; turn++) {
    // A register for each of the four, and the next turn's numbers in their place at once.
    let next = turn + 4u - KEY_TURNS;
    if (turn % 4u == 0u) {
      stage(share0, lane);
      share0 = load_values(tile, next, lane);
    } else if (turn % 4u == 1u) {
      stage(share1, lane);
      share1 = load_values(tile, next, lane);
    } else if (turn % 4u == 2u) {
      stage(share2, lane);
      share2 = load_values(tile, next, lane);
    } else {
      stage(share3, lane);
      share3 = load_values(tile, next, lane);
    }
    add_turn(lane, &sums);
  }

  for (var r = 0u; r < 4u; r++) {
    staged[lane / 32u * 128u + 32u * r + lane % 32u] = sums[r];
  }
  workgroupBarrier();
  let token = first + lane / 32u * 4u + lane % 32u / 8u;
  let column4 = tile.column4 + lane % 8u;
  if (lane < 128u && token < TOKENS && column4 < VALUE4) {
    var sum = staged[lane];
    for (var i = 1u; i < 8u; i++) {
      sum += staged[128u * i + lane];
    }
    out[(token_at(token) * HEADS + head) * VALUE4 + column4] = sum;
  }
}
