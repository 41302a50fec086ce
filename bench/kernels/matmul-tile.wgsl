// c = a·b for square matrices of SIZE numbers a side (a multiple of 128): the fastest plain tile we know how to write, as
// the measure of what arithmetic without matrix units can reach. TYPE f32 or f16. 256 invocations make 128 × 128
// results, each 8 × 8 of them; 8 deep.
#if TYPE == f16
enable f16;
#endif
alias number = TYPE;
alias four = vec4<TYPE>;

@group(0) @binding(0) var<storage, read> a: array<four>;
@group(0) @binding(1) var<storage, read> b: array<four>;
@group(0) @binding(2) var<storage, read_write> c: array<four>;

// a lies transposed: [k][row], so that an invocation reads its rows as vectors.
var<workgroup> tile_a: array<number, 8 * 132>;
var<workgroup> tile_b: array<four, 8 * 32>;

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.y * 128u;
  let column4 = group.x * 32u;
  let own_row = (lane / 16u) * 8u;
  let own_column = lane % 16u;
  var sums: array<four, 16>;
  for (var k = 0u; k < SIZE; k += 8u) {
    let value = a[((row + lane / 2u) * SIZE + k) / 4u + lane % 2u];
    for (var j = 0u; j < 4u; j++) {
      tile_a[((lane % 2u) * 4u + j) * 132u + lane / 2u] = value[j];
    }
    tile_b[lane] = b[(k + lane / 32u) * (SIZE / 4u) + column4 + lane % 32u];
    workgroupBarrier();
    for (var j = 0u; j < 8u; j++) {
      let left = tile_b[j * 32u + own_column];
      let right = tile_b[j * 32u + 16u + own_column];
      for (var i = 0u; i < 8u; i++) {
        let value = tile_a[j * 132u + own_row + i];
        sums[2u * i] += value * left;
        sums[2u * i + 1u] += value * right;
      }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 8u; i++) {
    let at = (row + own_row + i) * (SIZE / 4u) + column4 + own_column;
    c[at] = sums[2u * i];
    c[at + 16u] = sums[2u * i + 1u];
  }
}
