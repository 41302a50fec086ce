// Frame-local attention: the tokens of a chunk see their chunk, both ways, and the chunk before it. Online softmax.
//   qkv   [tokens, 3·HEADS·HEAD_LENGTH]            f32, rotated queries and keys, values
//   cache [slots, 2, 2, CHUNK_TOKENS, HEADS·HEAD_LENGTH]  f32, a ring of two chunks: rotated keys, values. `previous` of a
//         rollout says in which half the chunk before lies (cache-store.wgsl writes the other one)
//   out   [tokens, HEADS·HEAD_LENGTH]              f32
// A workgroup makes 8 · SETS queries' output of one head, a tile of keys at a time; each set of 8 queries has LANES
// invocations. HEAD_LENGTH is at most 256. Grid (⌈CHUNK_TOKENS/(8 · SETS)⌉, HEADS, rollouts · chunks).
//
// Keys and values go from memory to registers and are used there for 8 queries, so that only queries, scores and weights
// lie in workgroup memory. For scores PARTS invocations side by side share a key: what a warp reads are whole sectors. Their
// parts of the sum are added up in PARTIALS places (1 or PARTS). For sums an invocation has four columns and a share of the
// keys. Reads form one stream over all tiles, keys then values; what was used is at once replaced by what is needed one
// load later, so that no read waits for a barrier. The order of additions is the same whatever SETS and PARTIALS are.
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(1) @binding(1) var<storage, read> cache: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;

const LENGTH4 = HEAD_LENGTH / 4u;
const WIDTH4 = HEADS * LENGTH4;
const QUERIES = 8u * SETS;
// Keys that are scored side by side; an invocation scores KEYS_EACH, so far apart.
const PARTS = 4u;
const GROUPS = LANES / PARTS;
const KEYS = KEYS_EACH * GROUPS;
const TILES = (CHUNK_TOKENS + KEYS - 1u) / KEYS;
// Loads of a tile's keys, PARTS columns each, and of its values, SHARES · KEYS_EACH keys each.
const STEPS = (LENGTH4 + PARTS - 1u) / PARTS;
const SHARES = 1u << min(4u, firstLeadingBit(LANES / LENGTH4));
const BATCHES = GROUPS / SHARES;
const LOADS = STEPS + BATCHES;
// Invocations that work on one query's maximum and total.
const WATCHERS = LANES / 8u;

// In `room`: queries [four queries, 4, column of STEPS · PARTS] as vectors of four queries; then scores, later weights,
// [partial, four queries, key]. Two more for every partial lead invocations beside each other to different banks.
const COLUMNS = STEPS * PARTS;
const SCORES = QUERIES * COLUMNS;
const PARTIAL = QUERIES / 4u * KEYS + 2u;
const ROOM = SCORES + PARTIALS * PARTIAL;
// At the end: sums [place, query, column], as many places as there is room for with any SETS and PARTIALS.
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
  source: u32,
}

// Where a tile lies; past the last one is nothing.
const NOWHERE = 0u;
const CACHE = 1u;
const PASS = 2u;

// KEYS_EACH vectors of a tile for every invocation, GROUPS keys apart, from `at` on; there are `more` keys after the first.
struct Load {
  at: u32,
  more: u32,
  source: u32,
}

// @param before the chunk before: its index in the pass or, where `kept`, of its half in the cache
fn tile_at(index: u32, chunk: u32, before: u32, kept: bool, head: u32) -> Tile {
  let first = index % TILES * KEYS;
  let last = min(KEYS, CHUNK_TOKENS - first) - 1u;
  if (index < TILES && kept) {
    let keys = (before * 2u * CHUNK_TOKENS + first) * WIDTH4 + head * LENGTH4;
    return Tile(keys, keys + CHUNK_TOKENS * WIDTH4, WIDTH4, last, CACHE);
  }
  let source = select(chunk, before, index < TILES);
  let keys = (source * CHUNK_TOKENS + first) * (3u * WIDTH4) + WIDTH4 + head * LENGTH4;
  return Tile(keys, keys + WIDTH4, 3u * WIDTH4, last, select(PASS, NOWHERE, index >= 2u * TILES));
}

// Load `number` of a tile; the one past its last is the first of the next tile.
fn load_at(number: u32, tile: Tile, next: Tile, own: u32) -> Load {
  if (number == LOADS) {
    return keys_at(0u, next, own);
  }
  if (number >= STEPS) {
    return rows_at(tile.values + own % LENGTH4, share_of(own) + (number - STEPS) * SHARES, tile);
  }
  return keys_at(number, tile, own);
}

fn keys_at(step: u32, tile: Tile, own: u32) -> Load {
  return rows_at(tile.keys + min(step * PARTS + own % PARTS, LENGTH4 - 1u), own / PARTS, tile);
}

// Keys past the end repeat the last one; their weights are zero.
fn rows_at(at: u32, first: u32, tile: Tile) -> Load {
  let row = min(first, tile.last);
  return Load(at + row * tile.pitch, tile.last - row, tile.source);
}

// Puts one row of a load in place of one that was used.
fn fetch(load: Load, index: u32, rows: ptr<function, array<vec4f, KEYS_EACH>>) {
  if (load.source == CACHE) {
    (*rows)[index] = cache[load.at + away(load, index) * WIDTH4];
  } else if (load.source == PASS) {
    (*rows)[index] = qkv[load.at + away(load, index) * (3u * WIDTH4)];
  }
}

// How far a load's key is from its first one; whole tiles need no look at their end.
fn away(load: Load, index: u32) -> u32 {
  return select(min(index * GROUPS, load.more), index * GROUPS, CHUNK_TOKENS % KEYS == 0u);
}

// Which share of the keys an invocation adds up; those past the last one do its work again.
fn share_of(own: u32) -> u32 {
  return min(own / LENGTH4, SHARES - 1u);
}

// Adds what four columns give to the scores of KEYS_EACH keys, and puts the next load in their place.
fn score(
  step: u32, lane: u32, load: Load, keys: ptr<function, array<vec4f, KEYS_EACH>>,
  scores: ptr<function, array<vec4f, 2 * KEYS_EACH>>,
) {
  let first = lane / LANES * (8u * COLUMNS) + step * PARTS + lane % PARTS;
  var queries: array<vec4f, 8>;
  for (var i = 0u; i < 8u; i++) {
    queries[i] = room[first + i * COLUMNS];
  }
  for (var i = 0u; i < KEYS_EACH; i++) {
    let key = (*keys)[i];
    for (var four = 0u; four < 2u; four++) {
      var sum = (*scores)[2u * i + four];
      sum += key.x * queries[4u * four];
      sum += key.y * queries[4u * four + 1u];
      sum += key.z * queries[4u * four + 2u];
      sum += key.w * queries[4u * four + 3u];
      (*scores)[2u * i + four] = sum;
    }
    fetch(load, i, keys);
  }
}

// Adds up the parts of scores.
fn gather(scores: array<vec4f, 2 * KEYS_EACH>, lane: u32) {
  let part = lane % PARTS;
  let first = SCORES + part % PARTIALS * PARTIAL + lane / LANES * (2u * KEYS) + lane % LANES / PARTS;
  for (var turn = 0u; turn < PARTS / PARTIALS; turn++) {
    if (part / PARTIALS == turn) {
      for (var i = 0u; i < KEYS_EACH; i++) {
        for (var four = 0u; four < 2u; four++) {
          let at = first + four * KEYS + i * GROUPS;
          let sum = scores[2u * i + four];
          room[at] = select(room[at] + sum, sum, turn == 0u);
        }
      }
    }
    workgroupBarrier();
  }
}

// What an invocation knows of one query: the largest score so far, and its part of the sum of weights.
struct Watch {
  query: u32,
  watcher: u32,
  largest: f32,
  total: f32,
}

// Four invocations beside each other have the four queries of a vector.
fn watch_of(lane: u32) -> Watch {
  let four = lane / (4u * WATCHERS);
  return Watch(four * 4u + lane % 4u, lane / 4u % WATCHERS, -1e30, 0.0);
}

// Turns a tile's scores into weights and leaves what earlier weights are to be multiplied with in `corrections`.
fn weigh(watch: ptr<function, Watch>, last: u32) {
  let query = (*watch).query;
  let watcher = (*watch).watcher;
  let first = SCORES + query / 4u * KEYS + watcher;
  var weights: array<f32, KEYS / WATCHERS>;
  var most = (*watch).largest;
  for (var i = 0u; i < KEYS / WATCHERS; i++) {
    let at = first + i * WATCHERS;
    var sum = room[at][query % 4u];
    for (var partial = 1u; partial < PARTIALS; partial++) {
      sum += room[at + partial * PARTIAL][query % 4u];
    }
    weights[i] = select(-1e30, sum, watcher + i * WATCHERS <= last);
    most = max(most, weights[i]);
  }
  watched[watcher / 4u * QUERIES + query][watcher % 4u] = most;
  workgroupBarrier();
  var four = watched[query];
  for (var i = 1u; i < WATCHERS / 4u; i++) {
    four = max(four, watched[i * QUERIES + query]);
  }
  most = max(max(four.x, four.y), max(four.z, four.w));
  let correction = exp((*watch).largest - most);
  var total = (*watch).total * correction;
  for (var i = 0u; i < KEYS / WATCHERS; i++) {
    let weight = exp(weights[i] - most);
    total += weight;
    room[first + i * WATCHERS][query % 4u] = weight;
  }
  if (watcher == 0u) {
    corrections[query] = correction;
  }
  (*watch).largest = most;
  (*watch).total = total;
  workgroupBarrier();
}

// The same for sums of values.
fn add_values(
  batch: u32, lane: u32, load: Load, values: ptr<function, array<vec4f, KEYS_EACH>>,
  sums: ptr<function, array<vec4f, 8>>,
) {
  let first = SCORES + lane / LANES * (2u * KEYS) + share_of(lane % LANES) + batch * SHARES;
  for (var i = 0u; i < KEYS_EACH; i++) {
    let value = (*values)[i];
    for (var four = 0u; four < 2u; four++) {
      let weights = room[first + four * KEYS + i * GROUPS];
      (*sums)[4u * four] += weights.x * value;
      (*sums)[4u * four + 1u] += weights.y * value;
      (*sums)[4u * four + 2u] += weights.z * value;
      (*sums)[4u * four + 3u] += weights.w * value;
    }
    fetch(load, i, values);
  }
}

@compute @workgroup_size(SETS * LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let chunk = group.z;
  // The same within its rollout.
  let own_chunk = chunk % launch.chunks;
  let rollout = launch.rollouts[chunk / launch.chunks];
  let kept = own_chunk == 0u;
  let before = select(chunk - 1u, 2u * rollout.slot + max(rollout.previous, 1u) - 1u, kept);
  let begin = select(TILES, 0u, own_chunk > 0u || rollout.previous != 0u);
  let own = lane % LANES;
  var tile = tile_at(begin, chunk, before, kept, head);
  var rows: array<vec4f, KEYS_EACH>;
  for (var i = 0u; i < KEYS_EACH; i++) {
    fetch(keys_at(0u, tile, own), i, &rows);
  }

  let first_query = group.x * QUERIES;
  for (var i = lane; i < QUERIES * COLUMNS; i += SETS * LANES) {
    let query = i / COLUMNS;
    let column = i % COLUMNS;
    // Queries past the end repeat the last one and are not written; columns past the end are zero.
    let row = chunk * CHUNK_TOKENS + min(first_query + query, CHUNK_TOKENS - 1u);
    let at = row * (3u * WIDTH4) + head * LENGTH4 + min(column, LENGTH4 - 1u);
    let values = select(vec4f(0.0), qkv[at] * inverseSqrt(f32(HEAD_LENGTH)), column < LENGTH4);
    for (var j = 0u; j < 4u; j++) {
      room[(query / 4u * 4u + j) * COLUMNS + column][query % 4u] = values[j];
    }
  }
  workgroupBarrier();

  let first_sum = lane / LANES * 8u;
  var sums: array<vec4f, 8>;
  var watch = watch_of(lane);
  for (var index = begin; index < 2u * TILES; index++) {
    let next = tile_at(index + 1u, chunk, before, kept, head);
    var scores = array<vec4f, 2 * KEYS_EACH>();
    for (var step = 0u; step < STEPS; step++) {
      score(step, lane, load_at(step + 1u, tile, next, own), &rows, &scores);
    }
    // Until here others may have been reading the weights of the tile before.
    workgroupBarrier();
    gather(scores, lane);
    weigh(&watch, tile.last);
    for (var i = 0u; i < 8u; i++) {
      sums[i] *= corrections[first_sum + i];
    }
    for (var batch = 0u; batch < BATCHES; batch++) {
      add_values(batch, lane, load_at(STEPS + batch + 1u, tile, next, own), &rows, &sums);
    }
    tile = next;
  }

  workgroupBarrier();
  watched[watch.watcher / 4u * QUERIES + watch.query][watch.watcher % 4u] = watch.total;
  let share = own / LENGTH4;
  for (var turn = 0u; turn < (SHARES + PLACES - 1u) / PLACES; turn++) {
    if (share < SHARES && share / PLACES == turn) {
      for (var i = 0u; i < 8u; i++) {
        let at = share % PLACES * OUTPUT + (first_sum + i) * LENGTH4 + own % LENGTH4;
        room[at] = select(room[at] + sums[i], sums[i], turn == 0u);
      }
    }
    workgroupBarrier();
  }
  for (var i = lane; i < OUTPUT; i += SETS * LANES) {
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
