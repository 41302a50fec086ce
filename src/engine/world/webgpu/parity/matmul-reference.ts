import { fromHalf } from '../half.ts';
import type { LaunchValues } from '../launch.ts';
import { MATMUL } from '../matmul-program.ts';
import { type Bindings, columnsOf } from './bindings.ts';
import { gelu, headGate, linear, modulate, type Numbers, rotateByTable, silu } from './reference.ts';

/** What a kernel of the matmul family should leave in its output. */
export function matmul(own: Bindings, launch: LaunchValues): Float64Array {
  const [n, k, rows] = [own.number('N'), own.number('K'), launch.tokens];
  const columns = own.floats(MATMUL.columns);
  const weights = unpackWeights(own, n, k, columns);
  const tableStride = own.number('TABLE_STRIDE');
  const level = (row: number, mask: Uint32Array): number => (mask[row] ? launch.levelRow * tableStride : 0);
  const product = linear(prologue(own, launch, k, level), weights, k);
  const out = Float64Array.from(own.floats(MATMUL.out));
  const stride = own.number('OUT_STRIDE');
  if (own.word('STORE') === 'heads') return heads(own, product, columns, rows);
  const store = storeOf(own, launch, n, level);
  const activation = { none: (v: number) => v, gelu, silu }[own.word('ACTIVATION')]!;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < n; column++) {
      const at = row * stride + column;
      const bias = columns[2 * column + 1]!;
      const sum = product[row * n + column]!;
      out[at] = store({ row, column, value: activation(sum + bias), sum, bias, before: out[at]! });
    }
  }
  return out;
}

/** The weights [n, k] with their scales. */
function unpackWeights(own: Bindings, n: number, k: number, columns: Float32Array): Float64Array {
  const kind = own.word('WEIGHT');
  if (kind === 'half') return unitWeights(own, n, k, columns);
  const split = { int8: n, float: 0 }[kind] ?? own.number('SPLIT');
  const bytes = own.bytes(MATMUL.weights);
  const floats = own.floats(kind === 'float' ? MATMUL.weights : MATMUL.tail);
  const weights = new Float64Array(n * k);
  for (let column = 0; column < n; column++) {
    for (let i = 0; i < k; i++) {
      const value =
        column < split
          ? bytes[((i >> 2) * split + column) * 4 + (i & 3)]!
          : floats[((i >> 2) * (n - split) + column - split) * 4 + (i & 3)]!;
      weights[column * k + i] = value * columns[2 * column]!;
    }
  }
  return weights;
}

/** Weights that lie as matrix units take them. */
function unitWeights(own: Bindings, n: number, k: number, columns: Float32Array): Float64Array {
  const [unitN, unitK] = [own.number('UNIT_N'), own.number('UNIT_K')];
  const deep = Math.ceil(k / unitK);
  const stored =
    own.word('NUMBER') === 'f16' ? fromHalf(own.halves(MATMUL.weights)) : own.floats(MATMUL.weights);
  const weights = new Float64Array(n * k);
  for (let column = 0; column < n; column++) {
    for (let i = 0; i < k; i++) {
      const unit = Math.floor(column / unitN) * deep + Math.floor(i / unitK);
      const value = stored[(unit * unitK + (i % unitK)) * unitN + (column % unitN)]!;
      weights[column * k + i] = value * columns[2 * column]!;
    }
  }
  return weights;
}

type LevelStart = (row: number, mask: Uint32Array) => number;

/** The left factor [tokens, K] after the prologue. */
function prologue(own: Bindings, { tokens }: LaunchValues, k: number, level: LevelStart): Float64Array {
  const a = Float64Array.from(own.floats(MATMUL.a).subarray(0, tokens * k));
  switch (own.word('PROLOGUE')) {
    case 'modulate': {
      const [table, mask] = [own.floats(MATMUL.table), own.words(MATMUL.mask)];
      const vector = (row: number, name: string): Float32Array => {
        const start = level(row, mask) + own.number(name);
        return table.subarray(start, start + k);
      };
      return modulate(a, k, (row) => ({
        shift: vector(row, 'TABLE_SHIFT'),
        scale: vector(row, 'TABLE_SCALE'),
      }));
    }
    case 'head_gate': {
      const extra = own.floats(MATMUL.extra);
      const gate = columnsOf(extra, tokens, own.number('EXTRA_STRIDE'), own.number('EXTRA_OFFSET'), k);
      return headGate(a, gate, own.number('HEAD_LENGTH'));
    }
    default:
      return a;
  }
}

interface Element {
  row: number;
  column: number;
  /** After bias and activation. */
  value: number;
  /** Before the bias. */
  sum: number;
  bias: number;
  /** What the output held. */
  before: number;
}

function storeOf(
  own: Bindings,
  launch: LaunchValues,
  n: number,
  level: LevelStart,
): (element: Element) => number {
  switch (own.word('STORE')) {
    case 'add':
      return ({ value, before }) => before + value;
    case 'extra': {
      const [extra, count, stride] = [
        own.floats(MATMUL.extra),
        own.number('EXTRA_COLUMNS'),
        own.number('EXTRA_STRIDE'),
      ];
      return ({ row, column, value }) => (column < count ? value + extra[row * stride + column]! : value);
    }
    case 'gate': {
      const [table, mask, gate] = [
        own.floats(MATMUL.table),
        own.words(MATMUL.mask),
        own.number('TABLE_GATE'),
      ];
      return ({ row, column, value, before }) => before + value * table[level(row, mask) + gate + column]!;
    }
    case 'sample': {
      const mask = own.words(MATMUL.mask);
      return ({ row, value, before }) => (mask[row] ? value + launch.ratio * (before - value) : before);
    }
    case 'camera': {
      const [known, extra] = [own.words(MATMUL.mask), own.floats(MATMUL.extra)];
      const [gridRows, gridColumns] = [own.number('GRID_ROWS'), own.number('GRID_COLUMNS')];
      return ({ row, column, sum, bias }) => {
        const cell = row % (gridRows * gridColumns);
        const camera = known[Math.floor(row / (gridRows * gridColumns))]
          ? sum
          : extra[(gridRows + gridColumns) * n + column]!;
        const place =
          extra[Math.floor(cell / gridColumns) * n + column]! +
          extra[(gridRows + (cell % gridColumns)) * n + column]!;
        return camera + bias + place;
      };
    }
    default:
      return ({ value }) => value;
  }
}

/** Queries and keys of a projection [rows, 3·width], without gains so far, normalised and rotated. */
function heads(own: Bindings, product: Numbers, columns: Float32Array, rows: number): Float64Array {
  const headLength = own.number('HEAD_LENGTH');
  const width = own.number('HEAD_COLUMNS') / 2;
  const qkv = Float64Array.from(product);
  for (const kind of [0, 1]) {
    const gain = Float64Array.from({ length: headLength }, (_, i) => columns[2 * (kind * width + i) + 1]!);
    const turned = rotateByTable(columnsOf(qkv, rows, 3 * width, kind * width, width), gain, {
      grid: { rows: own.number('GRID_ROWS'), columns: own.number('GRID_COLUMNS') },
      ...{ heads: width / headLength, headLength, table: own.floats(MATMUL.extra) },
      pairs: {
        time: own.number('TIME_PAIRS'),
        row: own.number('ROW_PAIRS'),
        column: own.number('COLUMN_PAIRS'),
      },
    });
    for (let token = 0; token < rows; token++) {
      qkv.set(turned.subarray(token * width, (token + 1) * width), (token * 3 + kind) * width);
    }
  }
  return qkv;
}
