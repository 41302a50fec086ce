// Frame-local attention: the tokens of a chunk see their chunk, both ways, and the chunk before it. Online softmax.
//   qkv   [tokens, 3·HEADS·HEAD_LENGTH]         f32, rotated queries and keys, values
//   cache [2, CHUNK_TOKENS, HEADS·HEAD_LENGTH]  f32, rotated keys and values of the chunk before the first one
//   out   [tokens, HEADS·HEAD_LENGTH]           f32
// An invocation makes one query's output of one head; KEY_TILE keys and values are staged at a time.
// Grid (⌈CHUNK_TOKENS/64⌉, HEADS, chunks).
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(1) @binding(1) var<storage, read> cache: array<vec4f>;
@group(1) @binding(2) var<storage, read_write> out: array<vec4f>;

const LENGTH4 = HEAD_LENGTH / 4;
const WIDTH4 = HEADS * LENGTH4;

var<workgroup> keys: array<vec4f, KEY_TILE * LENGTH4>;
var<workgroup> values: array<vec4f, KEY_TILE * LENGTH4>;

fn stage(chunk: u32, from_cache: bool, first: u32, head: u32, lane: u32) {
  for (var i = lane; i < KEY_TILE * LENGTH4; i += 64u) {
    let token = first + i / LENGTH4;
    if (token < CHUNK_TOKENS) {
      let place = head * LENGTH4 + i % LENGTH4;
      if (from_cache) {
        keys[i] = cache[token * WIDTH4 + place];
        values[i] = cache[(CHUNK_TOKENS + token) * WIDTH4 + place];
      } else {
        let row = (chunk * CHUNK_TOKENS + token) * (3 * WIDTH4) + place;
        keys[i] = qkv[row + WIDTH4];
        values[i] = qkv[row + 2 * WIDTH4];
      }
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let chunk = group.z;
  let query_token = group.x * 64u + lane;
  // Invocations past the end work on the last token and write nothing, so that barriers stay uniform.
  let row = chunk * CHUNK_TOKENS + min(query_token, CHUNK_TOKENS - 1);
  var query: array<vec4f, LENGTH4>;
  var sum: array<vec4f, LENGTH4>;
  for (var i = 0u; i < LENGTH4; i++) {
    query[i] = qkv[row * (3 * WIDTH4) + head * LENGTH4 + i] * inverseSqrt(f32(HEAD_LENGTH));
  }
  var largest = -1e30;
  var total = 0.0;

  let sees_before = chunk > 0u || launch.has_previous != 0u;
  for (var part = select(1u, 0u, sees_before); part < 2u; part++) {
    let source = select(chunk, max(chunk, 1u) - 1u, part == 0u);
    let from_cache = part == 0u && chunk == 0u;
    for (var first = 0u; first < CHUNK_TOKENS; first += KEY_TILE) {
      stage(source, from_cache, first, head, lane);
      workgroupBarrier();
      let count = min(u32(KEY_TILE), CHUNK_TOKENS - first);
      var scores: array<f32, KEY_TILE>;
      var tile_largest = largest;
      for (var j = 0u; j < count; j++) {
        var score = 0.0;
        for (var i = 0u; i < LENGTH4; i++) {
          score += dot(query[i], keys[j * LENGTH4 + i]);
        }
        scores[j] = score;
        tile_largest = max(tile_largest, score);
      }
      let correction = exp(largest - tile_largest);
      largest = tile_largest;
      total *= correction;
      for (var i = 0u; i < LENGTH4; i++) {
        sum[i] *= correction;
      }
      for (var j = 0u; j < count; j++) {
        let weight = exp(scores[j] - largest);
        total += weight;
        for (var i = 0u; i < LENGTH4; i++) {
          sum[i] += weight * values[j * LENGTH4 + i];
        }
      }
      workgroupBarrier();
    }
  }
  if (query_token < CHUNK_TOKENS) {
    for (var i = 0u; i < LENGTH4; i++) {
      out[row * WIDTH4 + head * LENGTH4 + i] = sum[i] / total;
    }
  }
}
