// Include: scalar functions that stay finite for every finite argument.
fn sigmoid(x: f32) -> f32 {
  return 1.0 / (1.0 + exp(clamp(-x, -80.0, 80.0)));
}

fn silu(x: f32) -> f32 {
  return x * sigmoid(x);
}

// 0.5·x·(1 + tanh(u)) = x·sigmoid(2u)
fn gelu_tanh(x: f32) -> f32 {
  return x * sigmoid(1.5957691216057308 * (x + 0.044715 * x * x * x));
}

// −softplus(x): the logarithm of 1 − sigmoid(x), also where that differs from 1 by less than a unit in the last place.
fn log_decay(x: f32) -> f32 {
  let e = exp(-abs(clamp(x, -80.0, 80.0)));
  let grown = select(log(1.0 + e), e * (1.0 - e * (0.5 - e / 3.0)), e < 0.01);
  return -(max(x, 0.0) + grown);
}
