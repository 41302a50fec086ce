// Include: what differs from one pass to the next. One slot of the uniform arena, bound with a dynamic offset.
// A pass makes the same number of chunks of one or more rollouts; the rows of one rollout lie together, in the order of
// `rollouts`.
struct Rollout {
  slot: u32,          // place of its state in the buffers of all states
  previous: u32,      // half of its attention cache that holds the chunk before: 1 or 2, 0 = none
  seed: u32,
  chunk: u32,         // index of the chunk in the sequence, for the noise
}
struct Launch {
  tokens: u32,        // rows of the activations in this pass
  frames: u32,        // frames of each rollout in this pass
  chunks: u32,        // the same in chunks
  level_row: u32,     // row of the modulation table for tokens whose mask is 1; row 0 is level 0
  ratio: f32,         // t_{i+1} / t_i of the sampler step
  stream: u32,        // which noise of a chunk
  @align(16) rollouts: array<Rollout, 8>,
}
@group(0) @binding(0) var<uniform> launch: Launch;
