// Matrix product with a fused prologue and epilogue on the device's matrix units; shapes and variants: matmul-parts.wgsl.
//   weights  [⌈N/UNIT_N⌉, ⌈K/UNIT_K⌉, UNIT_N, UNIT_K]  NUMBER, zero beyond N and K: every unit's right factor lies together
// A workgroup makes TILE_M × TILE_N outputs. Its rows of `a`, after the prologue, are kept in workgroup memory, DEPTH
// numbers at a time (a multiple of SLICES·UNIT_K); weights come straight from device memory, all that a depth needs on their
// way before its rows are. A subgroup does one job: SPAN units side by side, all rows of the tile (UNITS_DOWN units), one of SLICES parts of the depth (UNITS_DEEP units). There are as many subgroups as jobs or
// more (SUBGROUP is the largest size a subgroup can have); the others wait. Grid (⌈N/TILE_N⌉, ⌈tokens/TILE_M⌉).
#include "matrix-units-enable.wgsl"
const RESULT_SLICES = u32(SLICES);
const JOBS_ACROSS = TILE_N / (UNIT_N * SPAN);
const JOBS = JOBS_ACROSS * SLICES;
const THREADS = JOBS * SUBGROUP;
const K_UNITS = (K + UNIT_K - 1) / UNIT_K;
const N_UNITS = (N + UNIT_N - 1) / UNIT_N;
const DEPTH4 = DEPTH / 4;
// Groups of four numbers of `a` that an invocation fetches a depth.
const FETCHES = (TILE_M * DEPTH4 + THREADS - 1) / THREADS;
// Rows begin at multiples of 16 bytes and in different banks.
const PITCH = DEPTH + 8;

var<workgroup> factors: array<NUMBER, TILE_M * PITCH>;
var<workgroup> results: array<RESULT, SLICES * TILE_M * TILE_N>;

#include "matmul-parts.wgsl"
#include "matrix-units.wgsl"

// Where a unit of the weights begins. Units past the end meet zeros of `a`, or columns that are not stored.
fn unit_at(across: u32, deep: u32) -> u32 {
  return (min(across, N_UNITS - 1u) * K_UNITS + min(deep, K_UNITS - 1u)) * (UNIT_K * UNIT_N);
}

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
#repeat n SPAN
#repeat i UNITS_DEEP
  var right_$i_$n: Right;
#endrepeat
#repeat m UNITS_DOWN
  var sum_$m_$n: Result;
#endrepeat
#endrepeat
  fetch_early(first_row, first_column, lane);
  for (var depth = 0u; depth < K; depth += DEPTH) {
    let first_deep = depth / UNIT_K + slice * UNITS_DEEP;
    if (job < JOBS) {
#repeat i UNITS_DEEP
#repeat n SPAN
      right_$i_$n = load_right(unit_at(first_unit + $nu, first_deep + $iu));
#endrepeat
#endrepeat
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
        factors[at] = narrow.x;
        factors[at + 1u] = narrow.y;
        factors[at + 2u] = narrow.z;
        factors[at + 3u] = narrow.w;
      }
    }
    workgroupBarrier();
    if (job < JOBS) {
      let first_left = slice * (UNITS_DEEP * UNIT_K);
#repeat i UNITS_DEEP
#repeat m UNITS_DOWN
      let left_$i_$m = load_left(first_left + $mu * (UNIT_M * PITCH) + $iu * UNIT_K, PITCH);
#repeat n SPAN
      sum_$m_$n = multiply(left_$i_$m, right_$i_$n, sum_$m_$n);
#endrepeat
#endrepeat
#endrepeat
    }
    workgroupBarrier();
  }
  if (job < JOBS) {
    let first_result = slice * (TILE_M * TILE_N) + span * (SPAN * UNIT_N);
#repeat m UNITS_DOWN
#repeat n SPAN
    store_result(first_result + $mu * (UNIT_M * TILE_N) + $nu * UNIT_N, sum_$m_$n, TILE_N);
#endrepeat
#endrepeat
  }
  workgroupBarrier();
  store_results(first_row, first_column, lane);
}
