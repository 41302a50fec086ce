// Include: counter-based random numbers (docs/model.md, Random numbers).
fn pcg4d(counter: vec4u) -> vec4u {
  var v = counter * 1664525u + 1013904223u;
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  v ^= v >> vec4u(16u);
  v.x += v.y * v.w;
  v.y += v.z * v.x;
  v.z += v.x * v.y;
  v.w += v.y * v.z;
  return v;
}

// Standard normal from two words (Box-Muller).
fn normal(words: vec2u) -> f32 {
  let unit = 2.3283064365386963e-10;
  let u1 = (f32(words.x) + 0.5) * unit;
  let turn = f32(words.y) * unit;
  return sqrt(max(-2.0 * log(u1), 0.0)) * cos_sin(6.283185307179586 * turn).x;
}
