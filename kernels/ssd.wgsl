// Block-wise scan, kind `ssd`: S ← e^g S + β k vᵀ; y = Sᵀ q. Shapes and layout: scan.wgsl.
#include "scan.wgsl"

fn written(i: u32, value: f32, recalled: f32) -> f32 {
  return write_strength[i] * inverse_length[i] * value;
}
