// Block-wise scan, kind `gated-delta`: S ← e^g S; S ← S + β k (v − Sᵀk)ᵀ; y = Sᵀ q. Shapes and layout: scan.wgsl.
#include "scan.wgsl"

fn written(i: u32, value: f32, recalled: f32) -> f32 {
  return write_strength[i] * inverse_length[i] * (value - recalled * inverse_length[i]);
}
