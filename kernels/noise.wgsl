// Initial noise: latents[t, c] ~ N(0, 1) where the token is to be generated; given tokens keep their value.
//   mask    [tokens]            u32, 1 = to be generated
//   latents [tokens, CHANNELS]  f32
// One invocation an element, counted within its rollout. CHANNELS: latent channels; TOKENS_PER_FRAME.
#include "launch.wgsl"
#include "trigonometry.wgsl"
#include "random.wgsl"

@group(1) @binding(0) var<storage, read> mask: array<u32>;
@group(1) @binding(1) var<storage, read_write> latents: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let element = id.x;
  if (element >= launch.tokens * CHANNELS || mask[element / CHANNELS] == 0u) {
    return;
  }
  let own = launch.frames * (TOKENS_PER_FRAME * CHANNELS);
  let rollout = launch.rollouts[element / own];
  latents[element] = normal(pcg4d(vec4u(element % own, rollout.chunk, rollout.seed, launch.stream)).xy);
}
