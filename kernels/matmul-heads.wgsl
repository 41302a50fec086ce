// Include: epilogue `heads` of the matmul family: queries and keys of frame-local attention, rms-normalised a head,
// multiplied by a gain, rotated by position; values stay as they are.
//   columns [N]  vec2f: scale, gain (columns below HEAD_COLUMNS)
//   extra   vec2f cos, sin: row [GRID_ROWS, ROW_PAIRS], column [GRID_COLUMNS, COLUMN_PAIRS], time [frames, TIME_PAIRS]
// Pairs (2j, 2j+1) of a head are rotated: first TIME_PAIRS by time, then ROW_PAIRS by row, then COLUMN_PAIRS by column.
const TIMES = GRID_ROWS * ROW_PAIRS + GRID_COLUMNS * COLUMN_PAIRS;
const TILE_HEADS = TILE_N / HEAD_LENGTH;
const QUARTER = HEAD_LENGTH / 4;

// Sums of squares by row, head and quarter of the head.
var<workgroup> head_squares: array<vec4f, TILE_M * TILE_HEADS>;

fn rotation(token: u32, pair: u32) -> vec2f {
  let cell = token % (GRID_ROWS * GRID_COLUMNS);
  if (pair < TIME_PAIRS) {
    return extra[TIMES + (token / (GRID_ROWS * GRID_COLUMNS)) * TIME_PAIRS + pair];
  }
  if (pair < TIME_PAIRS + ROW_PAIRS) {
    return extra[(cell / GRID_COLUMNS) * ROW_PAIRS + pair - TIME_PAIRS];
  }
  return extra[GRID_ROWS * ROW_PAIRS + (cell % GRID_COLUMNS) * COLUMN_PAIRS + pair - TIME_PAIRS - ROW_PAIRS];
}

// What two neighbouring outputs need beside their sums.
struct Pair {
  even: vec2f,
  odd: vec2f,
  turn: vec2f,
  shifts: vec2f,
}

const PAIRS = TILE_M * TILE_N / 2;

fn pair_at(i: u32, first_row: u32, first_column: u32) -> Pair {
  let own = 2 * (i % (TILE_N / 2));
  let row = min(first_row + i / (TILE_N / 2), launch.tokens - 1u);
  let column = min(first_column + own, u32(N - 2));
  var turn = vec2f(1.0, 0.0);
  if (column < HEAD_COLUMNS) {
    turn = rotation(row, (own % HEAD_LENGTH) / 2u);
  }
  return Pair(columns[column], columns[column + 1u], turn, vec2f(shift_at(row, column), shift_at(row, column + 1u)));
}

fn store_pair(i: u32, pair: Pair, first_row: u32, first_column: u32) {
  let tile_row = i / (TILE_N / 2);
  let own = 2 * (i % (TILE_N / 2));
  let row = first_row + tile_row;
  let column = first_column + own;
  if (row < launch.tokens && column < N) {
    let at = row * OUT_STRIDE + column;
    let at_even = tile_row * TILE_N + own;
    let sums = vec2f(whole_sum(result(at_even), tile_row), whole_sum(result(at_even + 1u), tile_row));
    let x = sums * vec2f(pair.even.x, pair.odd.x) + pair.shifts;
    if (column < HEAD_COLUMNS) {
      let sum = dot(head_squares[tile_row * TILE_HEADS + own / HEAD_LENGTH], vec4f(1.0));
      let scaled = x * inverseSqrt(sum / f32(HEAD_LENGTH) + 1e-6) * vec2f(pair.even.y, pair.odd.y);
      out[at] = as_out(scaled.x * pair.turn.x - scaled.y * pair.turn.y);
      out[at + 1u] = as_out(scaled.x * pair.turn.y + scaled.y * pair.turn.x);
    } else {
      out[at] = as_out(x.x);
      out[at + 1u] = as_out(x.y);
    }
  }
}

fn store_results(first_row: u32, first_column: u32, lane: u32) {
  for (var i = lane; i < 4 * TILE_M * TILE_HEADS; i += THREADS) {
    let tile_row = u32(i / (4 * TILE_HEADS));
    let row = min(first_row + tile_row, launch.tokens - 1u);
    let at = tile_row * TILE_N + (i % (4 * TILE_HEADS)) * QUARTER;
    let column = first_column + (i % (4 * TILE_HEADS)) * QUARTER;
    var sum = 0.0;
    if (column < HEAD_COLUMNS) {
      for (var j = 0u; j < QUARTER; j++) {
        let value = whole_sum(result(at + j), tile_row) * columns[column + j].x + shift_at(row, column + j);
        sum += value * value;
      }
    }
    head_squares[i / 4u][i % 4u] = sum;
  }
  workgroupBarrier();
  // Several pairs at a time, so that what they need is on its way together.
  for (var first = lane; first < PAIRS; first += 4u * THREADS) {
#repeat j 4
    let pair_$j = pair_at(first + $ju * THREADS, first_row, first_column);
#endrepeat
#repeat j 4
    if (first + $ju * THREADS < PAIRS) {
      store_pair(first + $ju * THREADS, pair_$j, first_row, first_column);
    }
#endrepeat
  }
}
