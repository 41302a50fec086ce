// Include: which block of which rollout a workgroup of a scan works on: grid z is rollout · BLOCKS + block.
// GRID_ROWS, GRID_COLUMNS: token grid; BLOCK_ROWS, BLOCK_COLUMNS: the block.
const BLOCK_TOKENS = BLOCK_ROWS * BLOCK_COLUMNS;
const BLOCKS_ACROSS = GRID_COLUMNS / BLOCK_COLUMNS;
const BLOCKS = BLOCKS_ACROSS * (GRID_ROWS / BLOCK_ROWS);

// First row of the rollout in the pass, the block's first row and column in the grid.
var<private> first_token: u32;
var<private> block_row: u32;
var<private> block_column: u32;
// Place of the block among those of all states.
var<private> state_block: u32;

fn begin(z: u32) {
  let block = z % BLOCKS;
  first_token = (z / BLOCKS) * launch.frames * (GRID_ROWS * GRID_COLUMNS);
  block_row = (block / BLOCKS_ACROSS) * BLOCK_ROWS;
  block_column = (block % BLOCKS_ACROSS) * BLOCK_COLUMNS;
  state_block = launch.rollouts[z / BLOCKS].slot * BLOCKS + block;
}

// The token at place `i` of the block's sequence: frames, then rows, then columns.
fn token_at(i: u32) -> u32 {
  if (BLOCKS == 1) {
    return first_token + i;
  }
  let frame = i / BLOCK_TOKENS;
  let row = block_row + (i % BLOCK_TOKENS) / BLOCK_COLUMNS;
  return first_token + (frame * GRID_ROWS + row) * GRID_COLUMNS + block_column + i % BLOCK_COLUMNS;
}
