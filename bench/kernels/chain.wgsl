// One workgroup that reads what the dispatch before it wrote.
@group(0) @binding(0) var<storage, read_write> numbers: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  numbers[lane] = numbers[lane] * 0.5 + 1.0;
}
