// Matrix product with a fused epilogue on the device's matrix units, both factors straight from memory; shapes and variants:
// matmul-parts.wgsl, PROLOGUE packed or packed_modulated.
//   a        [⌈tokens/UNIT_M⌉, K/UNIT_K, UNIT_M, UNIT_K]  NUMBER (packed.wgsl)
//   weights  [⌈N/UNIT_N⌉, K/UNIT_K, UNIT_N, UNIT_K]  NUMBER, zero beyond N
// A workgroup makes TILE_M × TILE_N outputs. A subgroup does one job: RISE units down by SPAN across, one of SLICES parts of the
// depth, DEEP units of it at a time. K is a multiple of SLICES·DEEP·UNIT_K. There are as many subgroups as jobs or more
// (SUBGROUP is the largest size a subgroup can have); the others wait. Nothing is waited for before the sums are done: rows
// are not normalised here (the producer of `a` left what is needed), so subgroups overlap as the device likes.
// Grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
#include "matrix-units-enable.wgsl"
const RESULT_SLICES = u32(SLICES);
const JOBS_ACROSS = TILE_N / (UNIT_N * SPAN);
const JOBS_DOWN = TILE_M / (UNIT_M * RISE);
const JOBS = JOBS_ACROSS * JOBS_DOWN * SLICES;
const THREADS = JOBS * SUBGROUP;
const K_UNITS = K / UNIT_K;
const N_UNITS = (N + UNIT_N - 1) / UNIT_N;
const SLICE_UNITS = K_UNITS / SLICES;

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
  let slice = job / (JOBS_ACROSS * JOBS_DOWN);
  let down = job / JOBS_ACROSS % JOBS_DOWN * RISE;
  let across = job % JOBS_ACROSS * SPAN;

  fetch_early(first_row, first_column, lane);
#if PROLOGUE == packed_modulated
  prepare_rows(first_row, lane);
#endif
  if (job < JOBS) {
    let last_down = (launch.tokens - 1u) / UNIT_M;
#repeat m RISE
    var left_at_$m = min(first_row / UNIT_M + down + $mu, last_down) * K_UNITS + slice * SLICE_UNITS;
    left_at_$m *= UNIT_M * UNIT_K;
#repeat n SPAN
    var sum_$m_$n = Result();
#endrepeat
#endrepeat
#repeat n SPAN
    // Units past the end give columns that are not stored.
    var right_at_$n = min(first_column / UNIT_N + across + $nu, N_UNITS - 1u) * K_UNITS + slice * SLICE_UNITS;
    right_at_$n *= UNIT_K * UNIT_N;
#endrepeat
    for (var deep = 0u; deep < SLICE_UNITS; deep += DEEP) {
#repeat i DEEP
#repeat m RISE
      let left_$i_$m = load_left(left_at_$m + $iu * (UNIT_M * UNIT_K));
#endrepeat
#repeat n SPAN
      let right_$i_$n = load_right(right_at_$n + $iu * (UNIT_K * UNIT_N));
#endrepeat
#endrepeat
#repeat i DEEP
#repeat m RISE
#repeat n SPAN
      sum_$m_$n = multiply(left_$i_$m, right_$i_$n, sum_$m_$n);
#endrepeat
#endrepeat
#endrepeat
#repeat m RISE
      left_at_$m += DEEP * UNIT_M * UNIT_K;
#endrepeat
#repeat n SPAN
      right_at_$n += DEEP * UNIT_K * UNIT_N;
#endrepeat
    }
    let first_result = slice * (TILE_M * TILE_N) + down * (UNIT_M * TILE_N) + across * UNIT_N;
#repeat m RISE
#repeat n SPAN
    store_result(first_result + $mu * (UNIT_M * TILE_N) + $nu * UNIT_N, sum_$m_$n, TILE_N);
#endrepeat
#endrepeat
  }
  workgroupBarrier();
  store_results(first_row, first_column, lane);
}
