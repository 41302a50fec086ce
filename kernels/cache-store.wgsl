// Commit: keeps the rotated keys and the values of the pass's last chunk for the chunk that follows.
//   qkv   [tokens, 3·WIDTH]           f32, rotated queries and keys, values
//   cache [2, CHUNK_TOKENS, WIDTH]    f32: keys, values
// One invocation four numbers.
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4f>;
@group(1) @binding(1) var<storage, read_write> cache: array<vec4f>;

const WIDTH4 = WIDTH / 4;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= 2 * CHUNK_TOKENS * WIDTH4) {
    return;
  }
  let kind = id.x / (CHUNK_TOKENS * WIDTH4);
  let token = launch.tokens - CHUNK_TOKENS + (id.x / WIDTH4) % CHUNK_TOKENS;
  cache[id.x] = qkv[token * (3 * WIDTH4) + (kind + 1u) * WIDTH4 + id.x % WIDTH4];
}
