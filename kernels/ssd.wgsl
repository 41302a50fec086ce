// Block-wise scan, kind `ssd`: S ← e^g S + β k vᵀ; y = Sᵀ q. Shapes and layout: scan.wgsl.
#include "scan.wgsl"

fn advance(i: u32, value: f32) -> f32 {
  let forget = forgotten[i];
  let written = write_strength[i] * inverse_length[i] * value;
  var y = 0.0;
  for (var j = 0u; j < KEY4; j++) {
    let s = column[j] - forget * column[j] + written * staged[i * KEY4 + j];
    column[j] = s;
    y += dot(s, staged[(TILE + i) * KEY4 + j]);
  }
  return y * inverse_length[TILE + i];
}
