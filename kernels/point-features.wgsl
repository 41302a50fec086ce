// Features of soft points along the rays: features[t] = Σ_j p_j [cos θ_j, sin θ_j], p = softmax over the depths,
// θ_j = frequencies · (position + depth_j · direction); 0 where the pose is unknown.
//   rays        [tokens, 6]               f32, camera position and unit direction
//   known       [frames]                  u32
//   points      [FREQUENCIES·3 + DEPTHS]  f32: frequencies [FREQUENCIES, 3], then the depths
//   projection  [tokens, STRIDE]          f32; the depth logits lie in columns LOGITS … LOGITS + DEPTHS − 1
//   features    [tokens, 2·FREQUENCIES]
// One invocation a token and frequency. TOKENS_PER_FRAME.
#include "launch.wgsl"
#include "trigonometry.wgsl"

@group(1) @binding(0) var<storage, read> rays: array<f32>;
@group(1) @binding(1) var<storage, read> known: array<u32>;
@group(1) @binding(2) var<storage, read> points: array<f32>;
@group(1) @binding(3) var<storage, read> projection: array<f32>;
@group(1) @binding(4) var<storage, read_write> features: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let token = id.x / FREQUENCIES;
  let index = id.x % FREQUENCIES;
  if (token >= launch.tokens) {
    return;
  }
  var feature = vec2f(0.0);
  if (known[token / TOKENS_PER_FRAME] != 0u) {
    var at_origin = 0.0;
    var along = 0.0;
    for (var i = 0u; i < 3u; i++) {
      at_origin += points[index * 3u + i] * rays[token * 6u + i];
      along += points[index * 3u + i] * rays[token * 6u + 3u + i];
    }
    let logits = token * STRIDE + LOGITS;
    var largest = projection[logits];
    for (var j = 1u; j < DEPTHS; j++) {
      largest = max(largest, projection[logits + j]);
    }
    var total = 0.0;
    for (var j = 0u; j < DEPTHS; j++) {
      let weight = exp(projection[logits + j] - largest);
      total += weight;
      feature += weight * cos_sin(at_origin + points[FREQUENCIES * 3u + j] * along);
    }
    feature /= total;
  }
  let at = token * (2u * FREQUENCIES) + index;
  features[at] = feature.x;
  features[at + FREQUENCIES] = feature.y;
}
