// Include: what the two kernels of the tiled `ssd` scan share (docs/model.md, Layer 1). Tokens of a block are cut into
// tiles of 16 in scan order; what a token reads is a sum over earlier tokens, so no invocation waits for another:
//   y_i = e^(G_i) S₀ᵀ q_i + Σ_(j ≤ i) e^(G_i − G_j) β_j (k_j·q_i) v_j,   S = e^(G_T) S₀ + Σ_j e^(G_T − G_j) β_j k_j v_jᵀ
// with G_i the sum of the log decays up to token i. Tiles are visited backwards and only differences of G that lie between
// two tokens are formed: exponents are never positive. Shapes and layout: scan.wgsl.
#include "launch.wgsl"
#include "activation.wgsl"
#include "blocks.wgsl"

const KEY4 = KEY_LENGTH / 4;
// Column tiles of 64 numbers of a value.
const VALUE_TILES = (VALUE_LENGTH + 63) / 64;

var<workgroup> tile_decay: array<f32, 16>;
// Of the tile at hand: log decay from before the tile up to each of its tokens.
var<workgroup> tile_sums: array<f32, 16>;
var<workgroup> tile_writes: array<f32, 16>;
var<workgroup> square_parts: array<f32, 256>;
var<workgroup> inverse_length: array<f32, 16>;

fn vector_at(token: u32, start: u32, i: u32) -> vec4f {
  let at = token * STRIDE + start + 4u * i;
  return vec4f(projection[at], projection[at + 1], projection[at + 2], projection[at + 3]);
}

// Loads decays and write strengths of the 16 tokens from `first` on; tokens past the end neither decay nor write. Then
// inverse lengths of their keys or queries, whose columns begin at `start`.
fn load_tile(head: u32, first: u32, length: u32, start: u32, lane: u32) {
  let place = lane / 16u;
  if (lane < 16u) {
    var decay = 0.0;
    var write = 0.0;
    if (first + lane < length) {
      let at = token_at(first + lane) * STRIDE + head;
      decay = log_decay(projection[at + DECAYS]);
      write = sigmoid(projection[at + WRITES]);
    }
    tile_decay[lane] = decay;
    tile_writes[lane] = write;
  }
  var squares = 0.0;
  if (first + place < length) {
    let token = token_at(first + place);
    for (var i = lane % 16u; i < KEY4; i += 16u) {
      let part = vector_at(token, start, i);
      squares += dot(part, part);
    }
  }
  square_parts[lane] = squares;
  workgroupBarrier();
  if (lane < 16u) {
    var sum = 0.0;
    var total = 0.0;
    for (var i = 0u; i < 16u; i++) {
      if (i <= lane) {
        sum += tile_decay[i];
      }
      total += square_parts[16u * lane + i];
    }
    tile_sums[lane] = sum;
    inverse_length[lane] = inverseSqrt(total + 1e-6);
  }
  workgroupBarrier();
}
