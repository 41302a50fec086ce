// Short `ssd` scan, what its products are made from (ssd-scores-shape.wgsl): a workgroup makes the scores of 32 queries and
// 32 keys of one head. Those of the first keys make the decayed queries, too, and in a commit those of the last queries
// the weighted keys. Grid (pairs of tiles of which the keys' is not the later one, heads, rollouts · blocks).
//   projection [tokens, STRIDE]  f32: raw keys, queries, values of all heads, one write and one decay logit a head
//   scores, weighted: ssd-scores-shape.wgsl
// Everything is loaded before the first barrier; lengths and sums of decays are made beside the product. Decays are added
// up only over the tokens between two others, never subtracted: in a group of four after or before the one, and whole groups.
// Of its 256 invocations, four share 4 × 4 scores, each with another quarter of every 32 numbers of a vector.
@group(1) @binding(0) var<storage, read> projection: array<vec4f>;
@group(1) @binding(3) var<storage, read_write> scores: array<vec4f>;
#if COMMIT
@group(1) @binding(4) var<storage, read_write> weighted: array<vec4f>;
#endif

#include "ssd-scores-shape.wgsl"
#include "activation.wgsl"

// Groups of four numbers of a row staged at a time, and the distance between two rows of them.
const SLICE4 = 8u;
const PITCH4 = 9u;
const SLICES = (KEY4 + 7) / 8;

// A slice of the queries, then of the keys, rows in the order of `staged_row`; in the end sums of three of four invocations.
var<workgroup> staged: array<vec4f, 768>;
// Of eight parts of every query, then of every key.
var<workgroup> squares: array<f32, 512>;
// 1/|q|, then β/|k|.
var<workgroup> factors: array<f32, 64>;
// Log decays of the keys' tokens, then of the queries', and their sums by groups of four from the first key on.
var<workgroup> decays: array<vec4f, 16>;
var<workgroup> group_sums: array<f32, 128>;
// Log decay of the first n groups of the queries' tile, of the keys' tile but its first n, of each tile between these two.
var<workgroup> queries_until: array<f32, 9>;
var<workgroup> keys_from: array<f32, 9>;
var<workgroup> between: array<f32, 16>;

// Four numbers of a key or query that starts at `start`; zeros for tokens past the end.
fn vector_at(place: u32, length: u32, start: u32, i: u32) -> vec4f {
  let value = projection[token_at(min(place, length - 1u)) * STRIDE4 + start + min(i, KEY4 - 1u)];
  return select(vec4f(0.0), value, place < length && i < KEY4);
}

// One of the numbers that tokens have for each head.
fn logit_at(place: u32, column: u32) -> f32 {
  return projection[token_at(place) * STRIDE4 + column / 4u][column % 4u];
}

// Neighbours lie eight rows apart, so that invocations that read every fourth row touch different banks.
fn staged_row(row: u32) -> u32 {
  return 8u * (row % 4u) + row / 4u;
}

// Adds to the scores of four queries (rows) and keys (columns) what a slice of their vectors gives.
fn add_slice(lane: u32, query: vec4f, key: vec4f, sums: ptr<function, array<vec4f, 4>>) {
  let at = staged_row(lane / SLICE4) * PITCH4 + lane % SLICE4;
  staged[at] = query;
  staged[32u * PITCH4 + at] = key;
  workgroupBarrier();
  for (var step = 0u; step < 2u; step++) {
    let i = 2u * (lane / 64u) + step;
    let keys_at = (32u + lane % 8u) * PITCH4 + i;
    let k0 = staged[keys_at];
    let k1 = staged[keys_at + 8u * PITCH4];
    let k2 = staged[keys_at + 16u * PITCH4];
    let k3 = staged[keys_at + 24u * PITCH4];
    for (var r = 0u; r < 4u; r++) {
      let q = staged[(8u * r + lane % 64u / 8u) * PITCH4 + i];
      (*sums)[r] += q.x * vec4f(k0.x, k1.x, k2.x, k3.x);
      (*sums)[r] += q.y * vec4f(k0.y, k1.y, k2.y, k3.y);
      (*sums)[r] += q.z * vec4f(k0.z, k1.z, k2.z, k3.z);
      (*sums)[r] += q.w * vec4f(k0.w, k1.w, k2.w, k3.w);
    }
  }
  workgroupBarrier();
}

// What is left of decays of four tokens in a row up to the one at `place`, itself included.
fn until(decay: vec4f, place: u32) -> vec4f {
  return select(vec4f(0.0), decay, vec4u(0u, 1u, 2u, 3u) <= vec4u(place));
}

fn total(decay: vec4f) -> f32 {
  return decay.x + decay.y + decay.z + decay.w;
}

// Sums of log decays after each of four tokens in a row.
fn after(decay: vec4f) -> vec4f {
  let last = decay.z + decay.w;
  return vec4f(decay.y + last, last, decay.w, 0.0);
}

// Makes `factors` and the sums of groups, each by another few invocations. @param write of the key whose factor it makes
fn summarise(lane: u32, write: f32, query_group: u32) {
  if (lane < 64u) {
    var sum = 0.0;
    for (var i = 0u; i < 8u; i++) {
      sum += squares[8u * lane + i];
    }
    factors[lane] = inverseSqrt(sum + 1e-6) * write;
  } else if (lane < 73u) {
    var sum = 0.0;
    for (var i = 0u; i < 8u; i++) {
      sum += select(0.0, group_sums[query_group + i], i < lane - 64u);
    }
    queries_until[lane - 64u] = sum;
  } else if (lane >= 96u && lane < 105u) {
    var sum = 0.0;
    for (var i = 0u; i < 8u; i++) {
      sum += select(0.0, group_sums[i], i >= lane - 96u);
    }
    keys_from[lane - 96u] = sum;
  } else if (lane >= 128u && lane < 144u) {
    let first = 8u * (lane - 128u);
    var sum = 0.0;
    for (var i = 0u; i < 8u; i++) {
      sum += group_sums[first + i];
    }
    between[lane - 128u] = select(0.0, sum, first > 0u && first < query_group);
  }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  begin(group.z);
  let head = group.y;
  let length = block_length();
  let padded = padded_length();
  // Pairs of tiles row after row of the lower triangle; 2 in place of 1 lets no rounding reach the row before.
  let query_tile = u32((sqrt(8.0 * f32(group.x) + 2.0) - 1.0) / 2.0);
  let key_tile = group.x - query_tile * (query_tile + 1u) / 2u;
  let same_tile = query_tile == key_tile;
  let row = lane / SLICE4;
  let query = 32u * query_tile + row;
  let key = 32u * key_tile + row;

  let part = lane % SLICE4;
  let query_start = QUERIES / 4 + head * KEY4;
  let key_start = KEYS / 4 + head * KEY4;
  let q0 = vector_at(query, length, query_start, part);
  let q1 = vector_at(query, length, query_start, part + SLICE4);
  let q2 = vector_at(query, length, query_start, part + 2u * SLICE4);
  let q3 = vector_at(query, length, query_start, part + 3u * SLICE4);
  let k0 = vector_at(key, length, key_start, part);
  let k1 = vector_at(key, length, key_start, part + SLICE4);
  let k2 = vector_at(key, length, key_start, part + 2u * SLICE4);
  let k3 = vector_at(key, length, key_start, part + 3u * SLICE4);
  // Factors of queries have no write strength in them.
  var write = 1.0;
  if (lane >= 32u && lane < 64u) {
    write = sigmoid(logit_at(min(32u * key_tile + lane - 32u, length - 1u), WRITES + head));
  }
  let query_group = 8u * (query_tile - key_tile);
  if (lane < 128u) {
    var decay = vec4f(0.0);
    if (lane < query_group + 8u) {
      let place = 32u * key_tile + 4u * lane;
      var logits: vec4f;
      for (var i = 0u; i < 4u; i++) {
        logits[i] = logit_at(min(place + i, length - 1u), DECAYS + head);
      }
      for (var i = 0u; i < 4u; i++) {
        decay[i] = select(0.0, log_decay(logits[i]), place + i < length);
      }
    }
    group_sums[lane] = total(decay);
    if (lane < 8u) {
      decays[lane] = decay;
    }
    if (lane >= query_group && lane < query_group + 8u) {
      decays[8u + lane - query_group] = decay;
    }
  }
  squares[lane] = dot(q0, q0) + dot(q1, q1) + dot(q2, q2) + dot(q3, q3);
  squares[256u + lane] = dot(k0, k0) + dot(k1, k1) + dot(k2, k2) + dot(k3, k3);

  var sums: array<vec4f, 4>;
  add_slice(lane, q0, k0, &sums);
  if (SLICES > 1) {
    add_slice(lane, q1, k1, &sums);
  }
  if (SLICES > 2) {
    add_slice(lane, q2, k2, &sums);
  }
  if (SLICES > 3) {
    add_slice(lane, q3, k3, &sums);
  }
  summarise(lane, write, query_group);
  // Of the four invocations with the same scores, each finishes another query.
  let quarter = lane / 64u;
  let place = lane % 64u;
  for (var r = 0u; r < 4u; r++) {
    if (r != quarter) {
      staged[64u * (3u * r + quarter - select(0u, 1u, quarter > r)) + place] = sums[r];
    }
  }
  workgroupBarrier();
  let own = select(select(sums[0], sums[1], quarter == 1u), select(sums[2], sums[3], quarter == 3u), quarter >= 2u);
  let at = 192u * quarter + place;
  let product = own + staged[at] + staged[at + 64u] + staged[at + 128u];

  var apart = 0.0;
  for (var i = 0u; i < 16u; i++) {
    apart += between[i];
  }
  let down = place / 8u;
  let across = place % 8u;
  var decay = decays[across];
  // Log decay between the two groups of four, and of the queries' up to the query.
  var up_to_query = 0.0;
  if (!same_tile) {
    up_to_query = keys_from[across + 1u] + apart + queries_until[down];
  } else {
    for (var i = across + 1u; i < down; i++) {
      up_to_query += group_sums[i];
    }
  }
  if (same_tile && across == down) {
    decay = until(decay, quarter);
  } else {
    up_to_query += total(until(decays[8u + down], quarter));
  }
  let keys = 4u * vec4u(across) + vec4u(0u, 1u, 2u, 3u);
  let seen = keys <= vec4u(select(31u, 4u * down + quarter, same_tile));
  let key_factors = vec4f(factors[32u + keys.x], factors[32u + keys.y], factors[32u + keys.z], factors[32u + keys.w]);
  let score = product * factors[4u * down + quarter] * key_factors * exp(vec4f(up_to_query) + after(decay));
  let matrix = group.z * HEADS + head;
  let rows_at = (matrix * padded + 32u * query_tile) * score_pitch();
  scores[rows_at + (4u * down + quarter) * score_pitch() + 8u * key_tile + across] = select(vec4f(0.0), score, seen);

  if (key_tile == 0u) {
    let before = queries_until[row / 4u] + select(keys_from[0] + apart, 0.0, same_tile);
    let factor = factors[row] * exp(before + total(until(decays[8u + row / 4u], row % 4u)));
    let to = rows_at + row * score_pitch() + padded / 4u;
    let vectors = array(q0, q1, q2, q3);
    for (var i = 0u; i < 4u; i++) {
      if (part + SLICE4 * i < KEY4) {
        scores[to + part + SLICE4 * i] = factor * vectors[i];
      }
    }
  }
#if COMMIT
  if (query_tile == padded / 32u - 1u) {
    let beyond = select(apart + queries_until[8], 0.0, same_tile);
    let left = after(decays[row / 4u])[row % 4u] + keys_from[row / 4u + 1u] + beyond;
    let factor = factors[32u + row] * exp(left);
    let first = matrix * (padded * KEY4 + 1u);
    let to = first + key * KEY4;
    let vectors = array(k0, k1, k2, k3);
    for (var i = 0u; i < 4u; i++) {
      if (part + SLICE4 * i < KEY4) {
        weighted[to + part + SLICE4 * i] = factor * vectors[i];
      }
    }
    if (key_tile == 0u && lane == 0u) {
      weighted[first + padded * KEY4] = vec4f(exp(keys_from[0] + beyond));
    }
  }
#endif
}
