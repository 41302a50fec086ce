// Include: what the kernels of the short `ssd` scan share (docs/model.md, Layer 1). Where a block's sequence is short, how
// much every token reads of every earlier one is written down, and what is left are two matrix products:
//   y_i = Σ_(j ≤ i) s_ij v_j + d_i S₀,   s_ij = e^(G_i − G_j) β_j (k_j·q_i),   d_i = e^(G_i) q_i
//   S = e^(G_T) S₀ + Σ_j w_j v_jᵀ,       w_j = e^(G_T − G_j) β_j k_j
// with G_i the sum of the log decays up to token i, keys and queries of length 1. Shapes and layout: scan.wgsl.
//   scores    [rollouts·blocks, HEADS, padded, padded + KEY_LENGTH]  f32: s_i, d_i; of s only tiles of 32 × 32 with j ≤ i
//   weighted  [rollouts·blocks, HEADS, padded · KEY_LENGTH + 4]  f32: w_j, then e^(G_T)
// `padded`: the block's tokens rounded up to a multiple of 32; rows of tokens that are none are zeros.
#include "launch.wgsl"
#include "blocks.wgsl"

// All vectors are read four numbers at a time.
const KEY4 = KEY_LENGTH / 4;
const VALUE4 = VALUE_LENGTH / 4;
const STRIDE4 = STRIDE / 4;

// Tokens of the block's sequence.
fn block_length() -> u32 {
  return launch.frames * BLOCK_TOKENS;
}

fn padded_length() -> u32 {
  return (block_length() + 31u) / 32u * 32u;
}

// Groups of four numbers from one token's scores to the next one's.
fn score_pitch() -> u32 {
  return (padded_length() + KEY_LENGTH) / 4u;
}
