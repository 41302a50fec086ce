// Include: what differs from one pass to the next. One slot of the uniform arena, bound with a dynamic offset.
struct Launch {
  tokens: u32,        // rows of the activations in this pass
  frames: u32,        // frames in this pass (tokens / tokens a frame)
  level_row: u32,     // row of the modulation table for tokens whose mask is 1; row 0 is level 0
  previous: u32,      // half of the attention cache that holds the chunk before: 1 or 2, 0 = none
  ratio: f32,         // t_{i+1} / t_i of the sampler step
  seed: u32,
  chunk: u32,         // index of the chunk in the sequence, for the noise
  stream: u32,        // which noise of that chunk
}
@group(0) @binding(0) var<uniform> launch: Launch;
