// The sampler step between two runs of the step graph: z ← clean + ratio·(z − clean) where the token is noised.
@group(0) @binding(0) var<storage, read> clean: array<f32>;
@group(0) @binding(1) var<storage, read_write> z: array<f32>;
@group(0) @binding(2) var<storage, read> ratio: array<f32>;
@group(0) @binding(3) var<storage, read> noised: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COUNT) {
    let token = id.x / CHANNELS;
    if (((noised[token / 4u] >> (8u * (token % 4u))) & 255u) != 0u) {
      z[id.x] = clean[id.x] + ratio[0] * (z[id.x] - clean[id.x]);
    }
  }
}
