// Frame-local attention: the tokens of a chunk see their chunk, both ways, and the chunk before it. Online softmax.
//   qkv   [tokens, 3·HEADS·HEAD_LENGTH]            f32, rotated queries and keys, values
//   cache [slots, 2, 2, CHUNK_TOKENS, HEADS·HEAD_LENGTH]  f32, a ring of two chunks: rotated keys, values. `previous` of a
//         rollout says in which half the chunk before lies; with COMMIT its last chunk is written to the other half
//   out   [tokens, HEADS·HEAD_LENGTH]              f32
// A workgroup makes QUERIES queries' output of one head, 128 keys at a time: for scores an invocation is a key, for sums
// it is four columns of the output and a share of the keys. Grid (⌈CHUNK_TOKENS/QUERIES⌉, HEADS,
// rollouts · chunks).
// QUERIES is 4 or 8; HEAD_LENGTH at most 256.
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
#if COMMIT
@group(1) @binding(1) var<storage, read_write> cache: array<vec4f>;
#else
@group(1) @binding(1) var<storage, read> cache: array<vec4f>;
#endif
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;

const LENGTH4 = HEAD_LENGTH / 4;
const WIDTH4 = HEADS * LENGTH4;
const QUERIES4 = QUERIES / 4;
const KEYS = 128u;
// Shares of a tile's keys, and how many keys one is.
const SHARES = KEYS / LENGTH4;
const SHARE = (KEYS + SHARES - 1) / SHARES;
// Invocations that work on one query's maximum and total, and their keys.
const WATCHERS = KEYS / QUERIES;

var<workgroup> queries: array<vec4f, QUERIES * LENGTH4>;
// [key, query]: scores, then weights.
var<workgroup> scores: array<vec4f, KEYS * QUERIES4>;
var<workgroup> watched: array<f32, KEYS>;
var<workgroup> largest: array<f32, QUERIES>;
var<workgroup> total: array<f32, QUERIES>;
var<workgroup> correction: array<f32, QUERIES>;
var<workgroup> shared_sums: array<vec4f, QUERIES * LENGTH4>;

// Place of a token's key: in qkv, in the pass's chunk `source`, or in the cache where `cached`, in half `source` of all.
fn place_of(source: u32, token: u32, cached: bool) -> u32 {
  if (cached) {
    return (source * 2u * CHUNK_TOKENS + token) * WIDTH4;
  }
  return (source * CHUNK_TOKENS + token) * (3 * WIDTH4) + WIDTH4;
}

fn score_key(at: u32, cached: bool, lane: u32) {
  var sums: array<vec4f, QUERIES4>;
  for (var i = 0u; i < LENGTH4; i++) {
    var key: vec4f;
    if (cached) {
      key = cache[at + i];
    } else {
      key = qkv[at + i];
    }
    for (var q = 0u; q < QUERIES4; q++) {
      let first = 4u * q * LENGTH4 + i;
      sums[q] += vec4f(dot(key, queries[first]), dot(key, queries[first + LENGTH4]),
          dot(key, queries[first + 2u * LENGTH4]), dot(key, queries[first + 3u * LENGTH4]));
    }
  }
  for (var q = 0u; q < QUERIES4; q++) {
    scores[lane * QUERIES4 + q] = sums[q];
  }
}

// Brings maxima and totals up to date with a tile's scores and turns the scores into weights.
fn weigh(count: u32, lane: u32) {
  let query = lane % QUERIES;
  let own = lane / QUERIES;
  var most = -1e30;
  for (var key = own; key < count; key += WATCHERS) {
    most = max(most, scores[key * QUERIES4 + query / 4u][query % 4u]);
  }
  watched[own * QUERIES + query] = most;
  workgroupBarrier();
  if (lane < QUERIES) {
    var all = largest[lane];
    for (var watcher = 0u; watcher < WATCHERS; watcher++) {
      all = max(all, watched[watcher * QUERIES + lane]);
    }
    correction[lane] = exp(largest[lane] - all);
    largest[lane] = all;
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var key = own; key < count; key += WATCHERS) {
    let weight = exp(scores[key * QUERIES4 + query / 4u][query % 4u] - largest[query]);
    scores[key * QUERIES4 + query / 4u][query % 4u] = weight;
    sum += weight;
  }
  watched[own * QUERIES + query] = sum;
  workgroupBarrier();
  if (lane < QUERIES) {
    var all = total[lane] * correction[lane];
    for (var watcher = 0u; watcher < WATCHERS; watcher++) {
      all += watched[watcher * QUERIES + lane];
    }
    total[lane] = all;
  }
}

@compute @workgroup_size(KEYS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let chunk = group.z;
  // The same within its rollout.
  let own_chunk = chunk % launch.chunks;
  let rollout = launch.rollouts[chunk / launch.chunks];
  let first_query = group.x * QUERIES;
  for (var i = lane; i < QUERIES * LENGTH4; i += KEYS) {
    // Queries past the end repeat the last one and are not written.
    let token = min(first_query + i / LENGTH4, CHUNK_TOKENS - 1u);
    let at = (chunk * CHUNK_TOKENS + token) * (3 * WIDTH4) + head * LENGTH4 + i % LENGTH4;
    queries[i] = qkv[at] * inverseSqrt(f32(HEAD_LENGTH));
  }
  if (lane < QUERIES) {
    largest[lane] = -1e30;
    total[lane] = 0.0;
  }
  workgroupBarrier();

  let column = lane % LENGTH4;
  let share = lane / LENGTH4;
  var sums: array<vec4f, QUERIES>;
  let sees_before = own_chunk > 0u || rollout.previous != 0u;
  for (var part = select(1u, 0u, sees_before); part < 2u; part++) {
    let cached = part == 0u && own_chunk == 0u;
    let before = select(max(chunk, 1u) - 1u, 2u * rollout.slot + max(rollout.previous, 1u) - 1u, cached);
    let source = select(chunk, before, part == 0u);
    let values = select(u32(WIDTH4), u32(CHUNK_TOKENS * WIDTH4), cached);
    for (var first = 0u; first < CHUNK_TOKENS; first += KEYS) {
      let count = min(KEYS, CHUNK_TOKENS - first);
      if (lane < count) {
        score_key(place_of(source, first + lane, cached) + head * LENGTH4, cached, lane);
      }
      workgroupBarrier();
      weigh(count, lane);
      for (var q = 0u; q < QUERIES; q++) {
        sums[q] *= correction[q];
      }
      for (var key = share * SHARE; key < min((share + 1u) * SHARE, count); key++) {
        let at = place_of(source, first + key, cached) + values + head * LENGTH4 + column;
        var value: vec4f;
        if (cached) {
          value = cache[at];
        } else {
          value = qkv[at];
        }
        for (var q = 0u; q < QUERIES4; q++) {
          let weights = scores[key * QUERIES4 + q];
          sums[4u * q] += weights.x * value;
          sums[4u * q + 1u] += weights.y * value;
          sums[4u * q + 2u] += weights.z * value;
          sums[4u * q + 3u] += weights.w * value;
        }
      }
      workgroupBarrier();
    }
  }

  // Shares past the last key hold zeros.
  for (var turn = 0u; turn < SHARES; turn++) {
    if (share == turn) {
      for (var q = 0u; q < QUERIES; q++) {
        let at = q * LENGTH4 + column;
        shared_sums[at] = select(shared_sums[at] + sums[q], sums[q], turn == 0u);
      }
    }
    workgroupBarrier();
  }
  for (var i = lane; i < QUERIES * LENGTH4; i += KEYS) {
    let token = first_query + i / LENGTH4;
    if (token < CHUNK_TOKENS) {
      let row = chunk * CHUNK_TOKENS + token;
      out[row * WIDTH4 + head * LENGTH4 + i % LENGTH4] = shared_sums[i] / total[i / LENGTH4];
#if COMMIT
      if (own_chunk + 1u == launch.chunks) {
        let half = 2u * rollout.slot + select(0u, 1u, rollout.previous == 1u);
        let from_row = row * (3 * WIDTH4) + WIDTH4 + head * LENGTH4 + i % LENGTH4;
        let to_row = (half * 2u * CHUNK_TOKENS + token) * WIDTH4 + head * LENGTH4 + i % LENGTH4;
        cache[to_row] = qkv[from_row];
        cache[to_row + CHUNK_TOKENS * WIDTH4] = qkv[from_row + WIDTH4];
      }
#endif
    }
  }
}
