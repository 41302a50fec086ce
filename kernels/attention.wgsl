// Frame-local attention: the tokens of a chunk see their chunk, both ways, and the chunk before it. Online softmax.
//   qkv   [tokens, 3·HEADS·HEAD_LENGTH]            f32, rotated queries and keys, values
//   cache [slots, 2, 2, CHUNK_TOKENS, HEADS·HEAD_LENGTH]  f32, a ring of two chunks: rotated keys, values. `previous` of a
//         rollout says in which half the chunk before lies; with COMMIT its last chunk is written to the other half
//   out   [tokens, HEADS·HEAD_LENGTH]              f32
// A workgroup makes QUERIES (8 or 16) queries' output of one head, in two sets, a tile of keys at a time; HEAD_LENGTH is at
// most 256. Grid (⌈CHUNK_TOKENS/QUERIES⌉, HEADS, rollouts · chunks).
//
// Keys and values go from memory to registers and are used there for a whole set, so that only queries, scores and weights
// lie in workgroup memory. For scores PARTS invocations side by side share a key: what a warp reads are whole sectors. Their
// parts of the sum are added up in PARTIALS places (1 or PARTS). For sums an invocation has four columns and a share of the
// keys. Reads form one stream over all tiles, keys then values, and are made two loads before they are used: none waits for
// a barrier. The order of additions is the same whatever QUERIES and PARTIALS are.
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
#if COMMIT
@group(1) @binding(1) var<storage, read_write> cache: array<vec4f>;
#else
@group(1) @binding(1) var<storage, read> cache: array<vec4f>;
#endif
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;

const INVOCATIONS = 256u;
const LENGTH4 = HEAD_LENGTH / 4u;
const WIDTH4 = HEADS * LENGTH4;
// Four queries of a set, side by side in a vector.
const QUADS = QUERIES / 8u;
// Keys that are scored side by side; an invocation scores KEYS_EACH, so far apart.
const GROUPS = 32u;
const KEYS = KEYS_EACH * GROUPS;
const TILES = (CHUNK_TOKENS + KEYS - 1u) / KEYS;
// Loads of a tile's keys, PARTS columns each, and of its values, SHARES · KEYS_EACH keys each. Both are even.
const PARTS = 4u;
const STEPS = 2u * ((LENGTH4 + 7u) / 8u);
const SHARES = 1u << min(4u, firstLeadingBit(INVOCATIONS / 2u / LENGTH4));
const BATCHES = GROUPS / SHARES;
const LOADS = STEPS + BATCHES;
// Invocations that work on one query's maximum and total.
const WATCHERS = 16u;

// In `room`: queries [set, quad, 4, column of STEPS · PARTS], then scores, later weights, [partial, set, quad, key]. What is
// added to the pitches leads the invocations of a quarter of a warp to different banks.
const COLUMNS = STEPS * PARTS;
const QUERY_SET = QUADS * 4u * COLUMNS + 4u;
const SCORES = 2u * QUERY_SET;
const SCORE_SET = QUADS * KEYS + 4u;
const PARTIAL = 2u * SCORE_SET + 1u;
const ROOM = SCORES + PARTIALS * PARTIAL;
// At the end: sums [place, query, column], as many places as there is room for with any QUERIES and PARTIALS.
const OUTPUT = QUERIES * LENGTH4;
const PLACES = min(SHARES, (4u * COLUMNS + KEYS) / (4u * LENGTH4));

var<workgroup> room: array<vec4f, ROOM>;
// [four watchers, query].
var<workgroup> watched: array<vec4f, WATCHERS / 4u * QUERIES>;
var<workgroup> corrections: array<f32, QUERIES>;

// KEYS keys and values of one head.
struct Tile {
  keys: u32,
  values: u32,
  pitch: u32,     // from one key to the next
  last: u32,      // index of the last key
  cached: bool,   // in `cache`, otherwise in `qkv`
}

// KEYS_EACH vectors of a tile for every invocation, GROUPS keys apart.
struct Load {
  at: u32,
  first: u32,
  pitch: u32,
  last: u32,
  cached: bool,
}

// @param before the chunk before: its index in the pass or, where `kept`, of its half in the cache
fn tile_at(index: u32, chunk: u32, before: u32, kept: bool, head: u32) -> Tile {
  let first = index % TILES * KEYS;
  let last = min(KEYS, CHUNK_TOKENS - first) - 1u;
  if (index < TILES && kept) {
    let keys = (before * 2u * CHUNK_TOKENS + first) * WIDTH4 + head * LENGTH4;
    return Tile(keys, keys + CHUNK_TOKENS * WIDTH4, WIDTH4, last, true);
  }
  let source = select(chunk, before, index < TILES);
  let keys = (source * CHUNK_TOKENS + first) * (3u * WIDTH4) + WIDTH4 + head * LENGTH4;
  return Tile(keys, keys + WIDTH4, 3u * WIDTH4, last, false);
}

// Load `number` of a tile or, past its last one, of the tile after it.
fn load_at(number: u32, tile: Tile, next: Tile, lane: u32) -> Load {
  if (number < STEPS) {
    return keys_at(number, tile, lane);
  }
  if (number < LOADS) {
    let share = min(lane / (2u * LENGTH4), SHARES - 1u);
    let first = share + (number - STEPS) * SHARES;
    return Load(tile.values + lane % LENGTH4, first, tile.pitch, tile.last, tile.cached);
  }
  return keys_at(number - LOADS, next, lane);
}

fn keys_at(step: u32, tile: Tile, lane: u32) -> Load {
  let column = min(step * PARTS + lane % PARTS, LENGTH4 - 1u);
  return Load(tile.keys + column, lane / (2u * PARTS), tile.pitch, tile.last, tile.cached);
}

// Keys past the end repeat the last one; their weights are zero.
fn fetch(load: Load, index: u32) -> vec4f {
  let at = load.at + min(load.first + index * GROUPS, load.last) * load.pitch;
  if (load.cached) {
    return cache[at];
  }
  return qkv[at];
}

// Adds what four columns give to the scores of KEYS_EACH keys, and puts the next load in their place.
fn score(
  step: u32, lane: u32, load: Load, keys: ptr<function, array<vec4f, KEYS_EACH>>,
  scores: ptr<function, array<vec4f, KEYS_EACH * QUADS>>,
) {
  let first = lane / PARTS % 2u * QUERY_SET + step * PARTS + lane % PARTS;
  for (var quad = 0u; quad < QUADS; quad++) {
    let at = first + quad * 4u * COLUMNS;
    let x = room[at];
    let y = room[at + COLUMNS];
    let z = room[at + 2u * COLUMNS];
    let w = room[at + 3u * COLUMNS];
    for (var i = 0u; i < KEYS_EACH; i++) {
      let key = (*keys)[i];
      var sum = (*scores)[i * QUADS + quad];
      sum += key.x * x;
      sum += key.y * y;
      sum += key.z * z;
      sum += key.w * w;
      (*scores)[i * QUADS + quad] = sum;
    }
  }
  for (var i = 0u; i < KEYS_EACH; i++) {
    (*keys)[i] = fetch(load, i);
  }
}

// Adds up the parts of scores.
fn gather(scores: array<vec4f, KEYS_EACH * QUADS>, lane: u32) {
  let part = lane % PARTS;
  let first = SCORES + part % PARTIALS * PARTIAL + lane / PARTS % 2u * SCORE_SET + lane / (2u * PARTS);
  for (var turn = 0u; turn < PARTS / PARTIALS; turn++) {
    if (part / PARTIALS == turn) {
      for (var i = 0u; i < KEYS_EACH; i++) {
        for (var quad = 0u; quad < QUADS; quad++) {
          let at = first + quad * KEYS + i * GROUPS;
          let sum = scores[i * QUADS + quad];
          room[at] = select(room[at] + sum, sum, turn == 0u);
        }
      }
    }
    workgroupBarrier();
  }
}

// What an invocation knows of its query: the largest score so far, and its part of the sum of weights.
struct Watch {
  largest: f32,
  total: f32,
}

// Turns a tile's scores into weights and leaves what earlier weights are to be multiplied with in `corrections`.
fn weigh(watch: ptr<function, Watch>, last: u32, lane: u32) {
  // Four invocations beside each other have the queries of a quad.
  let quad = lane % 128u / (4u * WATCHERS);
  let watcher = lane / 4u % WATCHERS;
  let query = (lane / 128u * QUADS + quad) * 4u + lane % 4u;
  let first = SCORES + lane / 128u * SCORE_SET + quad * KEYS + watcher;
  // Sets of four queries need only half of the invocations.
  let watches = quad < QUADS;
  var weights: array<f32, KEYS / WATCHERS>;
  if (watches) {
    var most = (*watch).largest;
    for (var i = 0u; i < KEYS / WATCHERS; i++) {
      let at = first + i * WATCHERS;
      var sum = room[at][lane % 4u];
      for (var partial = 1u; partial < PARTIALS; partial++) {
        sum += room[at + partial * PARTIAL][lane % 4u];
      }
      weights[i] = select(-1e30, sum, watcher + i * WATCHERS <= last);
      most = max(most, weights[i]);
    }
    watched[watcher / 4u * QUERIES + query][watcher % 4u] = most;
  }
  workgroupBarrier();
  if (watches) {
    var most = watched[query];
    for (var i = 1u; i < WATCHERS / 4u; i++) {
      most = max(most, watched[i * QUERIES + query]);
    }
    let largest = max(max(most.x, most.y), max(most.z, most.w));
    let correction = exp((*watch).largest - largest);
    var total = (*watch).total * correction;
    for (var i = 0u; i < KEYS / WATCHERS; i++) {
      let weight = exp(weights[i] - largest);
      total += weight;
      room[first + i * WATCHERS][lane % 4u] = weight;
    }
    if (watcher == 0u) {
      corrections[query] = correction;
    }
    *watch = Watch(largest, total);
  }
  workgroupBarrier();
}

// Adds the values of KEYS_EACH keys, with their weights, and puts the next load in their place.
fn add_values(
  batch: u32, lane: u32, load: Load, values: ptr<function, array<vec4f, KEYS_EACH>>,
  sums: ptr<function, array<vec4f, 4u * QUADS>>,
) {
  let share = min(lane / (2u * LENGTH4), SHARES - 1u);
  let first = SCORES + lane / LENGTH4 % 2u * SCORE_SET + share + batch * SHARES;
  for (var i = 0u; i < KEYS_EACH; i++) {
    let value = (*values)[i];
    (*values)[i] = fetch(load, i);
    for (var quad = 0u; quad < QUADS; quad++) {
      let weights = room[first + quad * KEYS + i * GROUPS];
      (*sums)[4u * quad] += weights.x * value;
      (*sums)[4u * quad + 1u] += weights.y * value;
      (*sums)[4u * quad + 2u] += weights.z * value;
      (*sums)[4u * quad + 3u] += weights.w * value;
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let chunk = group.z;
  // The same within its rollout.
  let own_chunk = chunk % launch.chunks;
  let rollout = launch.rollouts[chunk / launch.chunks];
  let kept = own_chunk == 0u;
  let before = select(chunk - 1u, 2u * rollout.slot + max(rollout.previous, 1u) - 1u, kept);
  let begin = select(TILES, 0u, own_chunk > 0u || rollout.previous != 0u);
  var tile = tile_at(begin, chunk, before, kept, head);
  // Loads of even and of odd numbers.
  var even: array<vec4f, KEYS_EACH>;
  var odd: array<vec4f, KEYS_EACH>;
  for (var i = 0u; i < KEYS_EACH; i++) {
    even[i] = fetch(keys_at(0u, tile, lane), i);
    odd[i] = fetch(keys_at(1u, tile, lane), i);
  }

  let first_query = group.x * QUERIES;
  for (var i = lane; i < QUERIES * COLUMNS; i += INVOCATIONS) {
    let query = i / COLUMNS;
    let column = i % COLUMNS;
    // Queries past the end repeat the last one and are not written; columns past the end are zero.
    let row = chunk * CHUNK_TOKENS + min(first_query + query, CHUNK_TOKENS - 1u);
    let at = row * (3u * WIDTH4) + head * LENGTH4 + min(column, LENGTH4 - 1u);
    let values = select(vec4f(0.0), qkv[at] * inverseSqrt(f32(HEAD_LENGTH)), column < LENGTH4);
    let quad = query / 4u;
    let to = quad / QUADS * QUERY_SET + quad % QUADS * 4u * COLUMNS + column;
    for (var j = 0u; j < 4u; j++) {
      room[to + j * COLUMNS][query % 4u] = values[j];
    }
#if COMMIT
    if (own_chunk + 1u == launch.chunks && first_query + query < CHUNK_TOKENS && column < LENGTH4) {
      let half = 2u * rollout.slot + select(0u, 1u, rollout.previous == 1u);
      let kept_at = (half * 2u * CHUNK_TOKENS + first_query + query) * WIDTH4 + head * LENGTH4 + column;
      cache[kept_at] = qkv[at + WIDTH4];
      cache[kept_at + CHUNK_TOKENS * WIDTH4] = qkv[at + 2u * WIDTH4];
    }
#endif
  }
  workgroupBarrier();

  let own_set = lane / LENGTH4 % 2u;
  var sums: array<vec4f, 4u * QUADS>;
  var watch = Watch(-1e30, 0.0);
  for (var index = begin; index < 2u * TILES; index++) {
    let next = tile_at(min(index + 1u, 2u * TILES - 1u), chunk, before, kept, head);
    var scores = array<vec4f, KEYS_EACH * QUADS>();
    for (var step = 0u; step < STEPS; step += 2u) {
      score(step, lane, load_at(step + 2u, tile, next, lane), &even, &scores);
      score(step + 1u, lane, load_at(step + 3u, tile, next, lane), &odd, &scores);
    }
    // Until here others may have been reading the weights of the tile before.
    workgroupBarrier();
    gather(scores, lane);
    weigh(&watch, tile.last, lane);
    for (var i = 0u; i < 4u * QUADS; i++) {
      sums[i] *= corrections[own_set * 4u * QUADS + i];
    }
    for (var batch = 0u; batch < BATCHES; batch += 2u) {
      add_values(batch, lane, load_at(STEPS + batch + 2u, tile, next, lane), &even, &sums);
      add_values(batch + 1u, lane, load_at(STEPS + batch + 3u, tile, next, lane), &odd, &sums);
    }
    tile = next;
  }

  workgroupBarrier();
  let quad = lane % 128u / (4u * WATCHERS);
  if (quad < QUADS) {
    let watcher = lane / 4u % WATCHERS;
    let query = (lane / 128u * QUADS + quad) * 4u + lane % 4u;
    watched[watcher / 4u * QUERIES + query][watcher % 4u] = watch.total;
  }
  let share = lane / (2u * LENGTH4);
  for (var turn = 0u; turn < (SHARES + PLACES - 1u) / PLACES; turn++) {
    if (share < SHARES && share / PLACES == turn) {
      for (var i = 0u; i < 4u * QUADS; i++) {
        let at = share % PLACES * OUTPUT + (own_set * 4u * QUADS + i) * LENGTH4 + lane % LENGTH4;
        room[at] = select(room[at] + sums[i], sums[i], turn == 0u);
      }
    }
    workgroupBarrier();
  }
  for (var i = lane; i < OUTPUT; i += INVOCATIONS) {
    let query = i / LENGTH4;
    if (first_query + query < CHUNK_TOKENS) {
      var sum = room[i];
      for (var place = 1u; place < PLACES; place++) {
        sum += room[i + place * OUTPUT];
      }
      var totals = watched[query];
      for (var four = 1u; four < WATCHERS / 4u; four++) {
        totals += watched[four * QUERIES + query];
      }
      let row = chunk * CHUNK_TOKENS + first_query + query;
      out[row * WIDTH4 + head * LENGTH4 + i % LENGTH4] = sum / (totals.x + totals.y + totals.z + totals.w);
    }
  }
}
