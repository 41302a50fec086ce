// Commit: keeps the rotated keys and the values of every rollout's last chunk for the chunk that follows. Not done by
// attention itself: a kernel that may write the cache reads it past the caches of the multiprocessors.
//   qkv   [tokens, 3·WIDTH]            KEPT, rotated queries and keys, values
//   cache [slots, 2, 2, CHUNK_TOKENS, WIDTH]  KEPT, a ring of two chunks: keys, values; written in the half that `previous`
//         does not name
// One invocation four numbers; grid y is the rollout.
#if KEPT == f16
enable f16;
#endif
#include "launch.wgsl"

@group(1) @binding(0) var<storage, read> qkv: array<vec4<KEPT>>;
@group(1) @binding(1) var<storage, read_write> cache: array<vec4<KEPT>>;

const WIDTH4 = WIDTH / 4;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = u32(2 * CHUNK_TOKENS * WIDTH4);
  if (id.x >= count) {
    return;
  }
  let kind = id.x / (CHUNK_TOKENS * WIDTH4);
  let rollout = launch.rollouts[id.y];
  let token = ((id.y + 1u) * launch.chunks - 1u) * CHUNK_TOKENS + (id.x / WIDTH4) % CHUNK_TOKENS;
  let half = 2u * rollout.slot + select(0u, 1u, rollout.previous == 1u);
  cache[half * count + id.x] = qkv[token * (3 * WIDTH4) + (kind + 1u) * WIDTH4 + id.x % WIDTH4];
}
