// Include: cosine and sine to about 1e-7 for |x| up to some thousand. WGSL's own are only good to 2^-11 and only
// within one period.
fn cos_sin(x: f32) -> vec2f {
  let quarter = round(x * 0.6366197723675814);
  // π/2 in three parts; the first two have so few bits that their products with `quarter` are exact.
  var r = x - quarter * 1.5703125;
  r = r - quarter * 4.837512969970703125e-4;
  r = r - quarter * 7.54978995489188216e-8;
  let r2 = r * r;
  let s = r + r * r2 * (-1.6666654611e-1 + r2 * (8.3321608736e-3 - r2 * 1.9515295891e-4));
  let c = 1.0 - 0.5 * r2 + r2 * r2 * (4.166664568298827e-2 + r2 * (-1.388731625493765e-3 + r2 * 2.443315711809948e-5));
  switch (i32(quarter) & 3) {
    case 0: { return vec2f(c, s); }
    case 1: { return vec2f(-s, c); }
    case 2: { return vec2f(-c, -s); }
    default: { return vec2f(s, -c); }
  }
}
