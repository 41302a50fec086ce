// Fourier features of the viewing rays: features[t] = [cos θ, sin θ], θ = frequencies · ray; 0 where the pose is unknown.
//   rays        [tokens, 6]           f32, camera position and unit direction
//   known       [frames]              u32
//   frequencies [FREQUENCIES, 6]      f32
//   features    [tokens, 2·FREQUENCIES]
// One invocation a token and frequency. TOKENS_PER_FRAME.
#include "launch.wgsl"
#include "trigonometry.wgsl"

@group(1) @binding(0) var<storage, read> rays: array<f32>;
@group(1) @binding(1) var<storage, read> known: array<u32>;
@group(1) @binding(2) var<storage, read> frequencies: array<f32>;
@group(1) @binding(3) var<storage, read_write> features: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let token = id.x / FREQUENCIES;
  let index = id.x % FREQUENCIES;
  if (token >= launch.tokens) {
    return;
  }
  var feature = vec2f(0.0);
  if (known[token / TOKENS_PER_FRAME] != 0u) {
    var angle = 0.0;
    for (var i = 0u; i < 6u; i++) {
      angle += frequencies[index * 6u + i] * rays[token * 6u + i];
    }
    feature = cos_sin(angle);
  }
  let at = token * (2u * FREQUENCIES) + index;
  features[at] = feature.x;
  features[at + FREQUENCIES] = feature.y;
}
