// Short `ssd` scan, the state after the pass: a workgroup makes 16 × 16 numbers of one head's state in place, the product
// of weighted keys with values. Runs after ssd-scores-read.wgsl, which needs the state as it was.
// Grid (column tiles · ⌈KEY_LENGTH / 16⌉, heads, rollouts · blocks).
//   projection, state: ssd-scores-read.wgsl; weighted: ssd-scores-shape.wgsl
// Tokens are taken in at most four turns of 128; all that they need is under way at the same time, in registers. Of a turn,
// each of 16 groups of 16 invocations adds up every sixteenth token, every invocation for 4 × 4 numbers.
@group(1) @binding(0) var<storage, read> projection: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> state: array<vec4f>;
@group(1) @binding(4) var<storage, read> weighted: array<vec4f>;

#include "ssd-scores-shape.wgsl"

const COLUMN_TILES = (VALUE_LENGTH + 15) / 16;

// Of a turn: parts of keys [token, row / 4], then of values [token, column / 4]. In the end sums [group, row, invocation].
var<workgroup> staged: array<vec4f, 1024>;

// What an invocation brings to a turn: parts of two keys and of the same tokens' values.
struct Share {
  key0: vec4f,
  key1: vec4f,
  value0: vec4f,
  value1: vec4f,
}

// @param keys_at, values_at place of the invocation's part among a token's numbers
fn load(turn: u32, lane: u32, keys_at: u32, values_at: u32) -> Share {
  var share = Share(vec4f(0.0), vec4f(0.0), vec4f(0.0), vec4f(0.0));
  let token = 128u * turn + lane / 4u;
  if (token < TOKENS) {
    share.key0 = weighted[keys_at + token * KEY4];
    share.value0 = projection[token_at(token) * STRIDE4 + values_at];
  }
  if (token + 64u < TOKENS) {
    share.key1 = weighted[keys_at + (token + 64u) * KEY4];
    share.value1 = projection[token_at(token + 64u) * STRIDE4 + values_at];
  }
  return share;
}

fn stage(share: Share, lane: u32) {
  staged[lane] = share.key0;
  staged[256u + lane] = share.key1;
  staged[512u + lane] = share.value0;
  staged[768u + lane] = share.value1;
}

// Adds what a staged turn gives to the sums of four rows.
fn add_turn(lane: u32, sums: ptr<function, array<vec4f, 4>>) {
  workgroupBarrier();
  for (var i = 0u; i < 8u; i++) {
    let at = 4u * (16u * i + lane / 16u);
    let key = staged[at + lane % 16u / 4u];
    let value = staged[512u + at + lane % 4u];
    (*sums)[0] += key.x * value;
    (*sums)[1] += key.y * value;
    (*sums)[2] += key.z * value;
    (*sums)[3] += key.w * value;
  }
  workgroupBarrier();
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z, FRAMES);
  let head = group.y;
  let first_row4 = group.x / COLUMN_TILES * 4u;
  let column4 = group.x % COLUMN_TILES * 4u + lane % 4u;
  let matrix_at = (group.z * HEADS + head) * (PADDED * KEY4 + 1);
  let keys_at = matrix_at + min(first_row4 + lane % 4u, KEY4 - 1u);
  let values_at = VALUES / 4 + head * VALUE4 + min(column4, VALUE4 - 1u);

  let share0 = load(0u, lane, keys_at, values_at);
  let share1 = load(1u, lane, keys_at, values_at);
  let share2 = load(2u, lane, keys_at, values_at);
  let share3 = load(3u, lane, keys_at, values_at);
  // The first 64 invocations finish four numbers each.
  let row = 4u * (first_row4 + lane % 16u / 4u) + lane / 16u;
  let finishes = lane < 64u && row < KEY_LENGTH && column4 < VALUE4;
  let state_at = ((state_block * HEADS + head) * KEY_LENGTH + row) * VALUE4 + column4;
  var before = vec4f(0.0);
  if (finishes) {
    before = weighted[matrix_at + PADDED * KEY4].x * state[state_at];
  }

  var sums: array<vec4f, 4>;
  for (var turn = 0u; turn < (TOKENS + 127) / 128; turn++) {
    if (turn == 0u) {
      stage(share0, lane);
    } else if (turn == 1u) {
      stage(share1, lane);
    } else if (turn == 2u) {
      stage(share2, lane);
    } else {
      stage(share3, lane);
    }
    add_turn(lane, &sums);
  }
  for (var r = 0u; r < 4u; r++) {
    staged[lane / 16u * 64u + 16u * r + lane % 16u] = sums[r];
  }
  workgroupBarrier();
  if (finishes) {
    var sum = before;
    for (var i = 0u; i < 16u; i++) {
      sum += staged[64u * i + lane];
    }
    state[state_at] = sum;
  }
}
