// Include: what the kernels of the short `ssd` scan share (docs/model.md, Layer 1). Where a block's sequence is short, how
// much every token reads of every earlier one is written down, and what is left are two matrix products:
//   y_i = Σ_(j ≤ i) s_ij v_j + d_i S₀,   s_ij = e^(G_i − G_j) β_j (k_j·q_i),   d_i = e^(G_i) q_i
//   S = e^(G_T) S₀ + Σ_j w_j v_jᵀ,       w_j = e^(G_T − G_j) β_j k_j
// with G_i the sum of the log decays up to token i, keys and queries of length 1. Shapes and layout: scan.wgsl.
//   scores    [rollouts·blocks, HEADS, padded, padded + KEY_LENGTH]  f32: s_i, d_i; of s only tiles of 32 × 32 with j ≤ i
//   weighted  [rollouts·blocks, HEADS, padded · KEY_LENGTH + 4]  f32: w_j, then e^(G_T)
// `padded`: the block's tokens rounded up to a multiple of 32; rows of tokens that are none are zeros. FRAMES, what every
// rollout makes in the pass, is a constant here: no load waits for a launch value, and loops have known ends.
#include "launch.wgsl"
#include "blocks.wgsl"

// All vectors are read four numbers at a time.
const KEY4 = KEY_LENGTH / 4;
const VALUE4 = VALUE_LENGTH / 4;
const STRIDE4 = STRIDE / 4;

// The block's sequence.
const TOKENS = FRAMES * BLOCK_TOKENS;
const PADDED = (TOKENS + 31) / 32 * 32;
// Groups of four numbers from one token's scores to the next one's.
const SCORES4 = (PADDED + KEY_LENGTH) / 4;
