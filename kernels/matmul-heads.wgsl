// Include: epilogue `heads` of the matmul family: queries and keys of frame-local attention, rms-normalised a head,
// multiplied by a gain, rotated by position; values stay as they are.
//   columns [N]  vec2f: scale, gain (columns below HEAD_COLUMNS)
//   extra   vec2f cos, sin: row [GRID_ROWS, ROW_PAIRS], column [GRID_COLUMNS, COLUMN_PAIRS], time [frames, TIME_PAIRS]
// Pairs (2j, 2j+1) of a head are rotated: first TIME_PAIRS by time, then ROW_PAIRS by row, then COLUMN_PAIRS by column.
const TIMES = GRID_ROWS * ROW_PAIRS + GRID_COLUMNS * COLUMN_PAIRS;
const PAIRS = TILE_M * TILE_N / 2;
const QUARTER = HEAD_LENGTH / 4;
const QUARTERS = TILE_M * TILE_N / QUARTER;

// Sums of squares by row, head and quarter of the head.
var<workgroup> head_squares: array<f32, QUARTERS>;

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
struct Beside {
  even: vec2f,
  odd: vec2f,
  turn: vec2f,
  shifts: vec2f,
}

// @param i index of a pair in the tile
fn fetch_beside_at(i: u32, first_row: u32, first_column: u32) -> Beside {
  let own = 2 * (i % (TILE_N / 2));
  let row = min(first_row + i / (TILE_N / 2), launch.tokens - 1u);
  let column = min(first_column + own, u32(N - 2));
  var turn = vec2f(1.0, 0.0);
  if (column < HEAD_COLUMNS) {
    turn = rotation(row, (own % HEAD_LENGTH) / 2u);
  }
  return Beside(columns[column], columns[column + 1u], turn, vec2f(shift_at(row, column), shift_at(row, column + 1u)));
}

// Puts a pair, before it is normalised, in the place of its sums, which nobody else reads; returns it.
fn finish_pair(i: u32, beside: Beside) -> vec2f {
  let tile_row = i / (TILE_N / 2);
  let at = tile_row * TILE_N + 2 * (i % (TILE_N / 2));
  let sums = vec2f(whole_sum(result(at), tile_row), whole_sum(result(at + 1u), tile_row));
  let x = sums * vec2f(beside.even.x, beside.odd.x) + beside.shifts;
  results[at] = RESULT(x.x);
  results[at + 1u] = RESULT(x.y);
  return x;
}

fn finished_pair(i: u32) -> vec2f {
  let at = i / (TILE_N / 2) * TILE_N + 2 * (i % (TILE_N / 2));
  return vec2f(f32(results[at]), f32(results[at + 1u]));
}

fn add_squares(lane: u32) {
  workgroupBarrier();
  for (var i = lane; i < QUARTERS; i += THREADS) {
    var sum = 0.0;
    for (var j = 0u; j < QUARTER; j++) {
      let value = f32(results[i * QUARTER + j]);
      sum += value * value;
    }
    head_squares[i] = sum;
  }
  workgroupBarrier();
}

fn store_pair(i: u32, x: vec2f, beside: Beside, first_row: u32, first_column: u32) {
  let row = first_row + i / (TILE_N / 2);
  let own = 2 * (i % (TILE_N / 2));
  let column = first_column + own;
  if (row < launch.tokens && column < N) {
    let at = row * OUT_STRIDE + column;
    if (column < HEAD_COLUMNS) {
      let first = i / (TILE_N / 2) * (TILE_N / QUARTER) + own / HEAD_LENGTH * 4u;
      let sum = head_squares[first] + head_squares[first + 1u] + head_squares[first + 2u] + head_squares[first + 3u];
      let scaled = x * inverseSqrt(sum / f32(HEAD_LENGTH) + 1e-6) * vec2f(beside.even.y, beside.odd.y);
      out[at] = as_out(scaled.x * beside.turn.x - scaled.y * beside.turn.y);
      out[at + 1u] = as_out(scaled.x * beside.turn.y + scaled.y * beside.turn.x);
    } else {
      out[at] = as_out(x.x);
      out[at + 1u] = as_out(x.y);
    }
  }
}

fn store_results(first_row: u32, first_column: u32, lane: u32) {
#if EARLY
#repeat j EARLY
  let x_$j = finish_pair(lane + $ju * THREADS, beside_$j);
#endrepeat
  add_squares(lane);
#repeat j EARLY
  store_pair(lane + $ju * THREADS, x_$j, beside_$j, first_row, first_column);
#endrepeat
#else
  // Several pairs at a time, so that what they need is on its way together.
  for (var first = lane; first < PAIRS; first += 4u * THREADS) {
#repeat j 4
    let at_$j = min(first + $ju * THREADS, u32(PAIRS - 1));
    let own_$j = fetch_beside_at(at_$j, first_row, first_column);
#endrepeat
#repeat j 4
    if (first + $ju * THREADS < PAIRS) {
      finish_pair(at_$j, own_$j);
    }
#endrepeat
  }
  add_squares(lane);
  for (var first = lane; first < PAIRS; first += 4u * THREADS) {
#repeat j 4
    let at_$j = min(first + $ju * THREADS, u32(PAIRS - 1));
    let own_$j = fetch_beside_at(at_$j, first_row, first_column);
#endrepeat
#repeat j 4
    if (first + $ju * THREADS < PAIRS) {
      store_pair(at_$j, finished_pair(at_$j), own_$j, first_row, first_column);
    }
#endrepeat
  }
#endif
}
