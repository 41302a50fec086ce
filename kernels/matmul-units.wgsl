// Matrix product with a fused prologue and epilogue on the device's matrix units; shapes and variants: matmul-parts.wgsl.
//   weights  [⌈N/UNIT_N⌉, ⌈K/UNIT_K⌉, UNIT_K, UNIT_N]  NUMBER, zero beyond N and K: every unit's right factor lies together
// A workgroup makes TILE_M × TILE_N outputs. Its rows of `a`, after the prologue, are kept in workgroup memory, DEPTH
// numbers at a time (a multiple of SLICES·UNIT_K); weights come straight from device memory, all that a depth needs on their
// way before its rows are. A subgroup does one job: SPAN units side by side, all rows of the tile, one of SLICES parts of the depth. There are as many subgroups as jobs or
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
const DEPTH4 = DEPTH / 4;
// Groups of four numbers of `a` that an invocation fetches a depth.
const FETCHES = (TILE_M * DEPTH4 + THREADS - 1) / THREADS;
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

  var fetched: array<Fetched, FETCHES>;
  var right: array<Right, UNITS_DEEP * SPAN>;
  var sums: array<Result, UNITS_DOWN * SPAN>;
  for (var depth = 0u; depth < K; depth += DEPTH) {
    let first_deep = depth / UNIT_K + slice * UNITS_DEEP;
    if (job < JOBS) {
      for (var i = 0u; i < UNITS_DEEP; i++) {
        for (var n = 0u; n < SPAN; n++) {
          // Units past the end meet zeros of `a` or columns that are not stored.
          let unit = min(first_unit + n, N_UNITS - 1u) * K_UNITS + min(first_deep + i, K_UNITS - 1u);
          right[i * SPAN + n] = load_right(unit * (UNIT_K * UNIT_N));
        }
      }
    }
    for (var j = 0u; j < FETCHES; j++) {
      let i = lane + j * THREADS;
      let row = min(first_row + i / DEPTH4, launch.tokens - 1u);
      fetched[j] = fetch_a(row, min(depth / 4u + i % DEPTH4, K4 - 1u));
    }
    if (depth == 0u) {
      prepare_rows(first_row, lane);
    }
    for (var j = 0u; j < FETCHES; j++) {
      let i = lane + j * THREADS;
      let row = i / DEPTH4;
      if (row < TILE_M) {
        let k4 = depth / 4u + i % DEPTH4;
        let used = k4 < K4 && first_row + row < launch.tokens;
        let narrow = narrowed(select(vec4f(0.0), finish_a(fetched[j], row, k4), used));
        let at = row * PITCH + 4u * (i % DEPTH4);
        tile_a[at] = narrow.x;
        tile_a[at + 1u] = narrow.y;
        tile_a[at + 2u] = narrow.z;
        tile_a[at + 3u] = narrow.w;
      }
    }
    workgroupBarrier();
    if (job < JOBS) {
      for (var i = 0u; i < UNITS_DEEP; i++) {
        for (var m = 0u; m < UNITS_DOWN; m++) {
          let left = load_left(m * UNIT_M * PITCH + (slice * UNITS_DEEP + i) * UNIT_K);
          for (var n = 0u; n < SPAN; n++) {
            sums[m * SPAN + n] = multiply(left, right[i * SPAN + n], sums[m * SPAN + n]);
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
