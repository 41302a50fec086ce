// Frame-local attention on the device's matrix units; what it makes and its buffers: attention.wgsl.
// A workgroup makes UNIT_M queries' output of one head. Keys and values come as *pieces* of PIECE keys; two pieces of keys,
// then the values of the same keys, make a *block*, whose weights are made at once. SUBGROUPS subgroups have the units of a
// piece's scores, or of the output's columns, in turn; others (SUBGROUP is the largest size a subgroup can have) wait.
// HEAD_LENGTH and PIECE are multiples of UNIT_N and UNIT_K. Grid (⌈CHUNK_TOKENS/UNIT_M⌉, HEADS, rollouts · chunks).
//
// Pieces form one stream. A piece is read from memory two pieces before it is put into workgroup memory as NUMBER, and put
// there while units multiply the one before, so that one barrier a piece is enough: it ends the reading of one half of the
// tile and the writing of the other. Code is written out for the four pieces of a block because registers have no index.
//
// Sums of a block stay in the units; as these cannot be rescaled, they go through workgroup memory to the invocations that
// hold the output. Weights are added up as they were rounded, so that they sum to one. Scores are at most as exact as NUMBER.
#include "matrix-units-enable.wgsl"
#include "launch.wgsl"
#include "narrow.wgsl"
#include "packed.wgsl"

// KEPT: what queries, keys and values are kept as, NUMBER or f32.
@group(1) @binding(0) var<storage, read> qkv: array<vec4<KEPT>>;
@group(1) @binding(1) var<storage, read> cache: array<vec4<KEPT>>;
#if OUT == packed
@group(1) @binding(2) var<storage, read_write> out: array<NUMBER>;
#else
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;
#endif

const THREADS = SUBGROUPS * SUBGROUP;
const LENGTH4 = HEAD_LENGTH / 4u;
const WIDTH4 = HEADS * LENGTH4;
const BLOCK = 2u * PIECE;
const BLOCKS = (CHUNK_TOKENS + BLOCK - 1u) / BLOCK;
// Vectors of a piece that an invocation reads.
const FETCHES = (PIECE * LENGTH4 + THREADS - 1u) / THREADS;
// Invocations that share a query, and what each has of its weights and of its output.
const SHARERS = THREADS / UNIT_M;
const WEIGHTS_EACH = (BLOCK + SHARERS - 1u) / SHARERS;
const COLUMNS_EACH = (LENGTH4 + SHARERS - 1u) / SHARERS;

// In `factors`: queries and the two halves of the tile, rows of PITCH; weights, rows of BLOCK_PITCH. In `results`: scores,
// rows of BLOCK_PITCH; sums, rows of PITCH. Rows begin at multiples of 16 bytes and in different banks.
const PITCH = HEAD_LENGTH + 8u;
const BLOCK_PITCH = BLOCK + 8u;
const TILE = UNIT_M * PITCH;
const HALF = PIECE * PITCH;
const WEIGHTS = TILE + 2u * HALF;
const SUMS = UNIT_M * BLOCK_PITCH;

var<workgroup> factors: array<NUMBER, WEIGHTS + UNIT_M * BLOCK_PITCH>;
var<workgroup> results: array<RESULT, SUMS + UNIT_M * PITCH>;
// What each invocation knows of its query: [query, sharer].
var<workgroup> known: array<f32, THREADS>;

#include "matrix-units.wgsl"

// Where the two chunks lie.
struct Source {
  head: u32,
  chunk: u32,
  before: u32,    // the chunk before: its index in the pass or, where `kept`, of its half in the cache
  kept: bool,
}

const KEYS = 1u;
const VALUES = 2u;

// Reads a piece into the registers of all invocations; past the last block is nothing.
// @param kind KEYS or VALUES
fn fetch(
  source: Source, block: u32, half: u32, kind: u32, lane: u32,
  rows: ptr<function, array<vec4<KEPT>, FETCHES>>,
) {
  let first = block % BLOCKS * BLOCK + half * PIECE;
  let head = source.head * LENGTH4;
  if (block < BLOCKS && source.kept) {
    let start = (2u * source.before + kind - KEYS) * CHUNK_TOKENS;
    for (var j = 0u; j < FETCHES; j++) {
      let i = lane + j * THREADS;
      (*rows)[j] = cache[(start + within(first + i / LENGTH4)) * WIDTH4 + head + i % LENGTH4];
    }
  } else if (block < 2u * BLOCKS) {
    let start = select(source.chunk, source.before, block < BLOCKS) * CHUNK_TOKENS;
    for (var j = 0u; j < FETCHES; j++) {
      let i = lane + j * THREADS;
      let row = start + within(first + i / LENGTH4);
      (*rows)[j] = qkv[(3u * row + kind) * WIDTH4 + head + i % LENGTH4];
    }
  }
}

// Keys past the end repeat the last one; their weights are zero. Whole blocks need no look at their end.
fn within(token: u32) -> u32 {
  return select(min(token, CHUNK_TOKENS - 1u), token, CHUNK_TOKENS % BLOCK == 0u);
}

// Puts a piece that was read into one half of the tile.
fn stage(rows: array<vec4<KEPT>, FETCHES>, half: u32, lane: u32) {
  for (var j = 0u; j < FETCHES; j++) {
    let i = lane + j * THREADS;
    if (PIECE * LENGTH4 % THREADS == 0u || i < PIECE * LENGTH4) {
      put(TILE + half * HALF + i / LENGTH4 * PITCH + 4u * (i % LENGTH4), as_factor(rows[j]));
    }
  }
}

fn as_factor(kept: vec4<KEPT>) -> vec4<NUMBER> {
#if KEPT == NUMBER
  return kept;
#else
  return narrowed(kept);
#endif
}

fn put(at: u32, value: vec4<NUMBER>) {
  factors[at] = value.x;
  factors[at + 1u] = value.y;
  factors[at + 2u] = value.z;
  factors[at + 3u] = value.w;
}

// Scores of the keys in one half of the tile.
fn score(half: u32, subgroup: u32) {
#repeat u KEY_JOBS
  let unit_$u = subgroup + $uu * SUBGROUPS;
  if (subgroup < SUBGROUPS && unit_$u < PIECE / UNIT_N) {
    var sum_$u = Result();
#repeat i LENGTH_UNITS
    let left_$i = load_left($iu * UNIT_K, PITCH);
    let right_$i = load_right_turned(TILE + half * HALF + unit_$u * (UNIT_N * PITCH) + $iu * UNIT_K, PITCH);
    sum_$u = multiply(left_$i, right_$i, sum_$u);
#endrepeat
    store_result(half * PIECE + unit_$u * UNIT_N, sum_$u, BLOCK_PITCH);
  }
#endrepeat
}

// What an invocation knows of its query: the largest score so far, and its part of the sum of weights.
struct Watch {
  query: u32,
  sharer: u32,
  largest: f32,
  total: f32,
}

// Turns a block's scores into weights. Returns what earlier weights are to be multiplied with.
// @param count keys of the block
fn weigh(watch: ptr<function, Watch>, count: u32) -> f32 {
  let query = (*watch).query;
  let sharer = (*watch).sharer;
  var weights: array<f32, WEIGHTS_EACH>;
  var most = (*watch).largest;
  for (var i = 0u; i < WEIGHTS_EACH; i++) {
    let key = sharer + i * SHARERS;
    let at = query * BLOCK_PITCH + min(key, BLOCK - 1u);
    weights[i] = select(-1e30, f32(results[at]), key < count);
    most = max(most, weights[i]);
  }
  known[query * SHARERS + sharer] = most;
  workgroupBarrier();
  for (var i = 0u; i < SHARERS; i++) {
    most = max(most, known[query * SHARERS + i]);
  }
  let correction = exp((*watch).largest - most);
  var total = (*watch).total * correction;
  for (var i = 0u; i < WEIGHTS_EACH; i++) {
    let key = sharer + i * SHARERS;
    let weight = NUMBER(exp(weights[i] - most));
    total += f32(weight);
    if (key < BLOCK) {
      factors[WEIGHTS + query * BLOCK_PITCH + key] = weight;
    }
  }
  (*watch).largest = most;
  (*watch).total = total;
  workgroupBarrier();
  return correction;
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
) {
  let subgroup = lane / subgroup_size;
  let chunk = group.z;
  let head = group.y;
  let rollout = launch.rollouts[chunk / launch.chunks];
  // The first of its rollout.
  let kept = chunk % launch.chunks == 0u;
  let before = select(chunk - 1u, 2u * rollout.slot + max(rollout.previous, 1u) - 1u, kept);
  let source = Source(head, chunk, before, kept);
  let begin = select(0u, BLOCKS, kept && rollout.previous == 0u);

  // Pieces of the first and second half of a block.
  var first: array<vec4<KEPT>, FETCHES>;
  var second: array<vec4<KEPT>, FETCHES>;
  fetch(source, begin, 0u, KEYS, lane, &first);
  fetch(source, begin, 1u, KEYS, lane, &second);
  let first_query = group.x * UNIT_M;
  for (var i = lane; i < UNIT_M * LENGTH4; i += THREADS) {
    // Queries past the end repeat the last one and are not written.
    let row = chunk * CHUNK_TOKENS + min(first_query + i / LENGTH4, CHUNK_TOKENS - 1u);
    let query = qkv[3u * row * WIDTH4 + head * LENGTH4 + i % LENGTH4];
    put(i / LENGTH4 * PITCH + 4u * (i % LENGTH4), narrowed(vec4f(query) * inverseSqrt(f32(HEAD_LENGTH))));
  }
  stage(first, 0u, lane);
  fetch(source, begin, 0u, VALUES, lane, &first);
  workgroupBarrier();

  var watch = Watch(lane / SHARERS, lane % SHARERS, -1e30, 0.0);
  var output: array<vec4f, COLUMNS_EACH>;
  for (var block = begin; block < 2u * BLOCKS; block++) {
    score(0u, subgroup);
    stage(second, 1u, lane);
    fetch(source, block, 1u, VALUES, lane, &second);
    workgroupBarrier();
    score(1u, subgroup);
    stage(first, 0u, lane);
    fetch(source, block + 1u, 0u, KEYS, lane, &first);
    workgroupBarrier();
    let correction = weigh(&watch, CHUNK_TOKENS - block % BLOCKS * BLOCK);

    // With a value: some compilers clear a variable without one only before the first turn of a loop.
#repeat u OUT_JOBS
    var sum_$u = Result();
#endrepeat
#repeat h 2
#repeat u OUT_JOBS
    if (subgroup < SUBGROUPS && subgroup + $uu * SUBGROUPS < HEAD_LENGTH / UNIT_N) {
      let column = (subgroup + $uu * SUBGROUPS) * UNIT_N;
#repeat i PIECE_UNITS
      let left_$i = load_left(WEIGHTS + $hu * PIECE + $iu * UNIT_K, BLOCK_PITCH);
      let right_$i = load_right(TILE + $hu * HALF + $iu * (UNIT_K * PITCH) + column, PITCH);
      sum_$u = multiply(left_$i, right_$i, sum_$u);
#endrepeat
#if $h == 1
      store_result(SUMS + column, sum_$u, PITCH);
#endif
    }
#endrepeat
#if $h == 0
    stage(second, 1u, lane);
    fetch(source, block + 1u, 1u, KEYS, lane, &second);
#else
    stage(first, 0u, lane);
    fetch(source, block + 1u, 0u, VALUES, lane, &first);
#endif
    workgroupBarrier();
#endrepeat
    for (var i = 0u; i < COLUMNS_EACH; i++) {
      let at = SUMS + watch.query * PITCH + 4u * min(watch.sharer + i * SHARERS, LENGTH4 - 1u);
      let sum = vec4f(vec4<RESULT>(results[at], results[at + 1u], results[at + 2u], results[at + 3u]));
      output[i] = output[i] * correction + sum;
    }
  }

  known[lane] = watch.total;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < SHARERS; i++) {
    total += known[watch.query * SHARERS + i];
  }
  if (first_query + watch.query < CHUNK_TOKENS) {
    let row = chunk * CHUNK_TOKENS + first_query + watch.query;
    for (var i = 0u; i < COLUMNS_EACH; i++) {
      let column = watch.sharer + i * SHARERS;
      if (column < LENGTH4) {
#if OUT == packed
        let narrow = narrowed(output[i] / total);
        let at = packed_at(row, 4u * (head * LENGTH4 + column), 4u * WIDTH4);
        out[at] = narrow.x;
        out[at + 1u] = narrow.y;
        out[at + 2u] = narrow.z;
        out[at + 3u] = narrow.w;
#else
        out[row * WIDTH4 + head * LENGTH4 + column] = output[i] / total;
#endif
      }
    }
  }
}
