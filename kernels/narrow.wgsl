// Include: numbers as factors are kept in workgroup memory.

// Four numbers; f16 holds no more than 65504.
fn narrowed(value: vec4f) -> vec4<NUMBER> {
#if NUMBER == f16
  return vec4<f16>(clamp(value, vec4f(-65504.0), vec4f(65504.0)));
#else
  return value;
#endif
}

fn narrowed_one(value: f32) -> NUMBER {
#if NUMBER == f16
  return f16(clamp(value, -65504.0, 65504.0));
#else
  return value;
#endif
}
