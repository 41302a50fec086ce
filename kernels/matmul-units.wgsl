// Matrix product with a fused prologue and epilogue on the device's matrix units; shapes and variants: matmul-parts.wgsl.
//   weights  [⌈N/UNIT_N⌉, ⌈K/UNIT_K⌉, UNIT_K, UNIT_N]  NUMBER, zero beyond N and K: every unit's right factor lies together
// A workgroup makes TILE_M × TILE_N outputs. Its rows of `a`, after the prologue, are kept in workgroup memory, DEPTH
// numbers at a time (a multiple of SLICES·UNIT_K); weights come straight from device memory. A subgroup does one job:
// SPAN units side by side, all rows of the tile, one of SLICES parts of the depth. There are as many subgroups as jobs or
// more (SUBGROUP is the largest size a subgroup can have); the others wait. Grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
#include "matrix-units-enable.wgsl"
const RESULT_SLICES = u32(SLICES);
const JOBS_ACROSS = TILE_N / (UNIT_N * SPAN);
const JOBS = JOBS_ACROSS * SLICES;
const THREADS = JOBS * SUBGROUP;
const UNITS_DOWN = TILE_M / UNIT_M;
const K_UNITS = (K + UNIT_K - 1) / UNIT_K;
const N_UNITS = (N + UNIT_N - 1) / UNIT_N;
const UNITS_DEEP = DEPTH / SLICES / UNIT_K;
// Rows begin at multiples of 16 bytes and in different banks.
const PITCH = DEPTH + 8;

var<workgroup> tile_a: array<NUMBER, TILE_M * PITCH>;
var<workgroup> results: array<RESULT, SLICES * TILE_M * TILE_N>;

#include "matmul-parts.wgsl"
#include "matrix-units.wgsl"

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_size) subgroup_size: u32,
) {
  let first_row = group.y * TILE_M;
  let first_column = group.x * TILE_N;
  let job = lane / subgroup_size;
  let slice = job / JOBS_ACROSS;
  let span = job % JOBS_ACROSS;
  let first_unit = first_column / UNIT_N + span * SPAN;
  prepare_rows(first_row, lane);

  var sums: array<Result, UNITS_DOWN * SPAN>;
  for (var depth = 0u; depth < K; depth += DEPTH) {
    for (var i = lane; i < TILE_M * (DEPTH / 4); i += THREADS) {
      let row = i / (DEPTH / 4);
      let k4 = i % (DEPTH / 4);
      var value = vec4f(0.0);
      if (depth / 4u + k4 < K4 && first_row + row < launch.tokens) {
        value = load_a(first_row + row, row, depth / 4u + k4);
      }
      let narrow = narrowed(value);
      let at = row * PITCH + 4u * k4;
      tile_a[at] = narrow.x;
      tile_a[at + 1u] = narrow.y;
      tile_a[at + 2u] = narrow.z;
      tile_a[at + 3u] = narrow.w;
    }
    workgroupBarrier();
    if (job < JOBS) {
      for (var i = 0u; i < UNITS_DEEP; i++) {
        let deep = slice * UNITS_DEEP + i;
        let k_unit = depth / UNIT_K + deep;
        if (k_unit < K_UNITS) {
          var left: array<Left, UNITS_DOWN>;
          for (var m = 0u; m < UNITS_DOWN; m++) {
            left[m] = load_left(m * UNIT_M * PITCH + deep * UNIT_K);
          }
          for (var n = 0u; n < SPAN; n++) {
            if (first_unit + n < N_UNITS) {
              let right = load_right(((first_unit + n) * K_UNITS + k_unit) * (UNIT_K * UNIT_N));
              for (var m = 0u; m < UNITS_DOWN; m++) {
                sums[m * SPAN + n] = multiply(left[m], right, sums[m * SPAN + n]);
              }
            }
          }
        }
      }
    }
    workgroupBarrier();
  }
  if (job < JOBS) {
    for (var m = 0u; m < UNITS_DOWN; m++) {
      for (var n = 0u; n < SPAN; n++) {
        let at = (slice * TILE_M + m * UNIT_M) * TILE_N + (span * SPAN + n) * UNIT_N;
        store_result(at, sums[m * SPAN + n]);
      }
    }
  }
  workgroupBarrier();
  store_results(first_row, first_column, lane);
}
