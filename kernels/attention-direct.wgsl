// Frame-local attention on the device's matrix units, keys and values straight from memory; what it makes and its buffers:
// attention.wgsl, with queries, keys and values kept as NUMBER. A workgroup makes UNIT_M queries' output of one head, PIECE
// keys at a time. CHUNK_TOKENS is a multiple of PIECE and of UNIT_M, PIECE one of UNIT_N and UNIT_K, HEAD_LENGTH too.
// Grid (CHUNK_TOKENS/UNIT_M, HEADS, rollouts · chunks).
//
// SUBGROUPS subgroups (others, where SUBGROUP is larger than a subgroup really is, wait) have in turn: units of the scores, KEY_JOBS
// each; queries, whose weights a subgroup makes by itself, QUERY_JOBS each; units of the output, one of PARTS parts of the keys
// each. The values of a piece are sent for before its scores are made and the keys of the next one before its sums, so that units
// rarely wait for memory; four barriers a piece are all that is waited for.
//
// Sums stay in the units for a piece; as these cannot be rescaled, they go through workgroup memory to the invocations that
// hold the output. Weights are added up as they were rounded, so that they sum to one. Scores are at most as exact as NUMBER.
#include "matrix-units-enable.wgsl"
// What a subgroup does depends on the invocation's index; it is the same throughout a subgroup.
diagnostic(off, subgroup_uniformity);
#include "launch.wgsl"
#include "narrow.wgsl"
#include "packed.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<NUMBER>;
@group(1) @binding(1) var<storage, read> cache: array<NUMBER>;
#if OUT == packed
@group(1) @binding(2) var<storage, read_write> out: array<NUMBER>;
#else
@group(1) @binding(2) var<storage, read_write> out: array<f32>;
#endif

const THREADS = SUBGROUPS * SUBGROUP;
const WIDTH = u32(HEADS * HEAD_LENGTH);
const PIECES = CHUNK_TOKENS / PIECE;
const COLUMNS = HEAD_LENGTH / UNIT_N;
const LENGTH4 = HEAD_LENGTH / 4u;
// Vectors of the output that an invocation holds.
const OUTPUTS_EACH = (UNIT_M * LENGTH4 + THREADS - 1u) / THREADS;
// Weights that an invocation makes of a query where subgroups are as large as they can be.
const WEIGHTS_EACH = (PIECE + SUBGROUP - 1u) / SUBGROUP;

// Rows of scores and weights, and of sums, begin at multiples of 16 bytes and in different banks.
const PITCH = PIECE + 8u;
const SUM_PITCH = HEAD_LENGTH + 8u;

// Weights of a piece.
var<workgroup> factors: array<NUMBER, UNIT_M * PITCH>;
// Scores of a piece, then sums [part, query, column].
var<workgroup> results: array<RESULT, max(UNIT_M * PITCH, PARTS * UNIT_M * SUM_PITCH)>;
// By query: what earlier output is to be multiplied with; at the end the sum of all weights.
var<workgroup> known: array<f32, UNIT_M>;

#include "matrix-units.wgsl"

// PIECE keys and values of one head.
struct Piece {
  keys: u32,
  values: u32,
  kept: bool,     // in the cache
}

// @param before the chunk before: its index in the pass or, where `kept`, of its half in the cache
fn piece_at(index: u32, chunk: u32, before: u32, kept: bool, head: u32) -> Piece {
  let first = index % PIECES * PIECE;
  if (index < PIECES && kept) {
    let keys = (2u * before * CHUNK_TOKENS + first) * WIDTH + head * HEAD_LENGTH;
    return Piece(keys, keys + CHUNK_TOKENS * WIDTH, true);
  }
  let source = select(chunk, before, index < PIECES);
  let keys = (source * CHUNK_TOKENS + first) * (3u * WIDTH) + WIDTH + head * HEAD_LENGTH;
  return Piece(keys, keys + WIDTH, false);
}

fn load_key(piece: Piece, key: u32, column: u32) -> Right {
  if (piece.kept) {
    return load_turned_from_cache(piece.keys + key * WIDTH + column, WIDTH);
  }
  return load_turned_from_qkv(piece.keys + key * (3u * WIDTH) + column, 3u * WIDTH);
}

fn load_value(piece: Piece, key: u32, column: u32) -> Right {
  if (piece.kept) {
    return load_from_cache(piece.values + key * WIDTH + column, WIDTH);
  }
  return load_from_qkv(piece.values + key * (3u * WIDTH) + column, 3u * WIDTH);
}

// What an invocation knows of a query: the largest score so far, and its part of the sum of weights.
struct Watch {
  largest: f32,
  total: f32,
}

// Turns a query's scores into weights. The subgroup's invocations have the same query.
// @param own index of the invocation in its subgroup
fn weigh(watch: ptr<function, Watch>, query: u32, own: u32, subgroup_size: u32) {
  let row = query * PITCH;
  let scale = inverseSqrt(f32(HEAD_LENGTH));
  var most = -1e30;
  for (var first = own; first < SUBGROUP; first += subgroup_size) {
    for (var i = 0u; i < WEIGHTS_EACH; i++) {
      most = max(most, f32(results[row + min(first + i * SUBGROUP, PIECE - 1u)]));
    }
  }
  let largest = max((*watch).largest, subgroupMax(most) * scale);
  let correction = exp((*watch).largest - largest);
  var total = (*watch).total * correction;
  for (var first = own; first < SUBGROUP; first += subgroup_size) {
    for (var i = 0u; i < WEIGHTS_EACH; i++) {
      let key = first + i * SUBGROUP;
      if (key < PIECE) {
        let weight = NUMBER(exp(f32(results[row + key]) * scale - largest));
        total += f32(weight);
        factors[row + key] = weight;
      }
    }
  }
  (*watch).largest = largest;
  (*watch).total = total;
  if (own == 0u) {
    known[query] = correction;
  }
}

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
) {
  let subgroup = lane / subgroup_size;
  let own = lane % subgroup_size;
  let working = subgroup < SUBGROUPS;
  let chunk = group.z;
  let head = group.y;
  let rollout = launch.rollouts[chunk / launch.chunks];
  // The first of its rollout.
  let kept = chunk % launch.chunks == 0u;
  let before = select(chunk - 1u, 2u * rollout.slot + max(rollout.previous, 1u) - 1u, kept);
  let begin = select(0u, u32(PIECES), kept && rollout.previous == 0u);
  let first_row = chunk * CHUNK_TOKENS + group.x * UNIT_M;

  // What a subgroup adds up: a unit of columns, over one part of a piece's keys.
  let adding = subgroup < COLUMNS * PARTS;
  let column = subgroup % COLUMNS * UNIT_N;
  let first_value = min(subgroup / COLUMNS, PARTS - 1u) * (PART_UNITS * UNIT_K);

  let first_query = first_row * (3u * WIDTH) + head * HEAD_LENGTH;
#repeat i LENGTH_UNITS
  let query_$i = load_query(first_query + $iu * UNIT_K, 3u * WIDTH);
#endrepeat
  var piece = piece_at(begin, chunk, before, kept, head);
#repeat u KEY_JOBS
  // Subgroups without a unit do the last one again and do not store it.
  let unit_$u = min(subgroup + $uu * SUBGROUPS, PIECE / UNIT_N - 1u) * UNIT_N;
#repeat i LENGTH_UNITS
  var key_$u_$i = load_key(piece, unit_$u, $iu * UNIT_K);
#endrepeat
#endrepeat
#repeat i PART_UNITS
  var value_$i = load_value(piece, first_value + $iu * UNIT_K, column);
#endrepeat

#repeat j QUERY_JOBS
  var watch_$j = Watch(-1e30, 0.0);
#endrepeat
  var output: array<vec4f, OUTPUTS_EACH>;
  for (var index = begin; index < 2u * PIECES; index++) {
    // With a value: some compilers clear a variable without one only before the first turn of a loop.
#repeat u KEY_JOBS
    var score_$u = Result();
#repeat i LENGTH_UNITS
    score_$u = multiply(query_$i, key_$u_$i, score_$u);
#endrepeat
#endrepeat
    // Until here others may have been reading the sums of the piece before.
    workgroupBarrier();
#repeat u KEY_JOBS
    if (working && subgroup + $uu * SUBGROUPS < PIECE / UNIT_N) {
      store_result(unit_$u, score_$u, PITCH);
    }
#endrepeat
    workgroupBarrier();
#repeat j QUERY_JOBS
    if (working && subgroup + $ju * SUBGROUPS < UNIT_M) {
      weigh(&watch_$j, subgroup + $ju * SUBGROUPS, own, subgroup_size);
    }
#endrepeat
    // Past the last piece the same keys again: they are not used.
    let next = piece_at(min(index + 1u, 2u * PIECES - 1u), chunk, before, kept, head);
#repeat u KEY_JOBS
#repeat i LENGTH_UNITS
    key_$u_$i = load_key(next, unit_$u, $iu * UNIT_K);
#endrepeat
#endrepeat
    workgroupBarrier();
    if (adding) {
      var sum = Result();
#repeat i PART_UNITS
      sum = multiply(load_left(first_value + $iu * UNIT_K, PITCH), value_$i, sum);
      value_$i = load_value(next, first_value + $iu * UNIT_K, column);
#endrepeat
      store_result(subgroup / COLUMNS * (UNIT_M * SUM_PITCH) + column, sum, SUM_PITCH);
    }
    workgroupBarrier();
    for (var j = 0u; j < OUTPUTS_EACH; j++) {
      let i = min(lane + j * THREADS, UNIT_M * LENGTH4 - 1u);
      var at = i / LENGTH4 * SUM_PITCH + 4u * (i % LENGTH4);
      output[j] *= known[i / LENGTH4];
      for (var part = 0u; part < PARTS; part++) {
        output[j] += vec4f(vec4<RESULT>(results[at], results[at + 1u], results[at + 2u], results[at + 3u]));
        at += UNIT_M * SUM_PITCH;
      }
    }
  }

  // Until here others may have been reading what earlier output was multiplied with.
  workgroupBarrier();
#repeat j QUERY_JOBS
  if (working && subgroup + $ju * SUBGROUPS < UNIT_M) {
    let total = subgroupAdd(watch_$j.total);
    if (own == 0u) {
      known[subgroup + $ju * SUBGROUPS] = total;
    }
  }
#endrepeat
  workgroupBarrier();
  for (var j = 0u; j < OUTPUTS_EACH; j++) {
    let i = lane + j * THREADS;
    if (i < UNIT_M * LENGTH4) {
      let row = first_row + i / LENGTH4;
      let first_column = head * HEAD_LENGTH + 4u * (i % LENGTH4);
      let attended = output[j] / known[i / LENGTH4];
#if OUT == packed
      let at = packed_at(row, first_column, WIDTH);
      let stored = narrowed(attended);
#else
      let at = row * WIDTH + first_column;
      let stored = attended;
#endif
      out[at] = stored.x;
      out[at + 1u] = stored.y;
      out[at + 2u] = stored.z;
      out[at + 3u] = stored.w;
    }
  }
}
