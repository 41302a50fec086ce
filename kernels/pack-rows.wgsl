// Leaves what the first product of a layer multiplies, as the products before other layers do (matmul-parts.wgsl, NEXT).
//   x      [tokens, WIDTH], then [WIDTH/SQUARED, tokens]  f32: rows, sums of SQUARED of their squares, which are written
//   table  [rows, TABLE_STRIDE] f32, modulation vectors by noise level; the scale is at TABLE_SCALE
//   mask   [tokens]             u32, 1 = noised
//   next   packed (packed.wgsl) NUMBER: x·(1 + scale)·HEADROOM
// One invocation SQUARED numbers of a row; neighbours have neighbouring rows.
#if NUMBER == f16
enable f16;
#endif
#include "launch.wgsl"
#include "narrow.wgsl"
#include "packed.wgsl"

@group(1) @binding(0) var<storage, read_write> x: array<f32>;
@group(1) @binding(1) var<storage, read> table: array<f32>;
@group(1) @binding(2) var<storage, read> mask: array<u32>;
@group(1) @binding(3) var<storage, read_write> next: array<NUMBER>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let part = id.x / launch.tokens;
  let row = id.x % launch.tokens;
  if (part >= WIDTH / SQUARED) {
    return;
  }
  let level = select(0u, launch.level_row, mask[row] != 0u);
  var sum = 0.0;
  for (var i = 0u; i < SQUARED; i++) {
    let column = part * SQUARED + i;
    let value = x[row * WIDTH + column];
    sum += value * value;
    let scale = 1.0 + table[level * TABLE_STRIDE + TABLE_SCALE + column];
    next[packed_at(row, column, WIDTH)] = narrowed_one(value * scale * HEADROOM);
  }
  x[launch.tokens * WIDTH + part * launch.tokens + row] = sum;
}
