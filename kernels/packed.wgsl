// Include: packed activations, as matrix units take left factors: [⌈rows/UNIT_M⌉, columns/UNIT_K, UNIT_M, UNIT_K] NUMBER. Rows
// past the last one hold anything: they meet no other row.

// What numbers that are not normalised yet are multiplied with: in trained models they reach some thousands, and f16 ends at
// 65504; a power of two takes nothing from their precision.
const HEADROOM = 0.0625;

// Where a number lies; there are `columns` in a row, a multiple of UNIT_K.
fn packed_at(row: u32, column: u32, columns: u32) -> u32 {
  let unit = row / UNIT_M * (columns / UNIT_K) + column / UNIT_K;
  return unit * (UNIT_M * UNIT_K) + row % UNIT_M * UNIT_K + column % UNIT_K;
}
