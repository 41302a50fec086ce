import { LongtakeError } from '../../../types.ts';
import { fromHalf } from '../half.ts';
import type { LaunchValues } from '../launch.ts';
import { MATMUL, SQUARED } from '../matmul-options.ts';
import { type Bindings, columnsOf } from './bindings.ts';
import { HEADROOM, packed, unpacked } from './packed-reference.ts';
import { gelu, headGate, linear, modulate, type Numbers, rotateByTable, silu } from './reference.ts';

/** What a kernel of the matmul family should leave in the buffers that it writes. */
export function matmul(own: Bindings, launch: LaunchValues): Record<number, Float64Array> {
  const [n, k, rows] = [own.number('N'), own.number('K'), launch.tokens];
  const columns = own.floats(MATMUL.columns);
  const weights = unpackWeights(own, n, k, columns);
  const tableStride = own.number('TABLE_STRIDE');
  const level = (row: number, mask: Uint32Array): number => (mask[row] ? launch.levelRow * tableStride : 0);
  const product = linear(prologue(own, launch, k, level), weights, k);
  if (own.word('PROLOGUE') === 'packed_modulated') {
    const [shifts, mask] = [own.floats(MATMUL.shifts), own.words(MATMUL.mask)];
    product.forEach((sum, i) => {
      const row = Math.floor(i / n);
      product[i] =
        sum * rowFactor(own, row, launch.tokens, k) +
        shifts[(mask[row] ? launch.levelRow * n : 0) + (i % n)]!;
    });
  }
  const out = Float64Array.from(own.floats(MATMUL.out));
  const stride = own.number('OUT_STRIDE');
  if (own.word('STORE') === 'heads') return { [MATMUL.out]: heads(own, product, columns, rows) };
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
  if (own.word('STORE') === 'packed') {
    return { [MATMUL.out]: packed(out.subarray(0, rows * n), own.floats(MATMUL.out), own.packing(n)) };
  }
  return own.number('NEXT') ? next(own, launch, out, n) : { [MATMUL.out]: out };
}

/** What the product after this one multiplies, and the sums of squares for its norm. */
function next(own: Bindings, launch: LaunchValues, out: Numbers, n: number): Record<number, Float64Array> {
  const [table, mask] = [own.floats(MATMUL.table), own.words(MATMUL.mask)];
  const scale = (row: number, column: number): number =>
    table[own.number('NEXT_BASE') + (mask[row] ? launch.levelRow * own.number('NEXT_STRIDE') : 0) + column]!;
  const { rows, next: packedRows } = nextOf(
    { out, scale, rows: launch.tokens, columns: n },
    own,
    MATMUL.next,
  );
  return { [MATMUL.out]: rows, [MATMUL.next]: packedRows };
}

/**
 * Rows as the next product takes them.
 * @param binding that holds them packed
 * @returns the rows with sums of squares after them, and the packed rows
 */
export function nextOf(
  {
    out,
    scale,
    rows,
    columns,
  }: { out: Numbers; scale: (row: number, column: number) => number; rows: number; columns: number },
  own: Bindings,
  binding: number,
): { rows: Float64Array; next: Float64Array } {
  const count = rows * columns;
  const scaled = Float64Array.from(
    { length: count },
    (_, i) => out[i]! * (1 + scale(Math.floor(i / columns), i % columns)) * HEADROOM,
  );
  const withSquares = new Float64Array(count + count / SQUARED);
  for (let i = 0; i < count; i++) {
    withSquares[i] = out[i]!;
    withSquares[count + Math.floor((i % columns) / SQUARED) * rows + Math.floor(i / columns)]! +=
      out[i]! ** 2;
  }
  return { rows: withSquares, next: packed(scaled, own.floats(binding), own.packing(columns)) };
}

/** What a row's sums are multiplied with: the norm is made from sums of squares. */
function rowFactor(own: Bindings, row: number, rows: number, k: number): number {
  const squares = own.floats(MATMUL.squares);
  let sum = 0;
  for (let part = 0; part < k / SQUARED; part++) sum += squares[(k + part) * rows + row]!;
  return 1 / Math.sqrt(sum / k + 1e-6) / HEADROOM;
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
      const value = stored[(unit * unitN + (column % unitN)) * unitK + (i % unitK)]!;
      weights[column * k + i] = value * columns[2 * column]!;
    }
  }
  return weights;
}

type LevelStart = (row: number, mask: Uint32Array) => number;

/** The left factor [tokens, K] after the prologue. */
function prologue(own: Bindings, { tokens }: LaunchValues, k: number, level: LevelStart): Float64Array {
  const [kind, stored] = [own.word('PROLOGUE'), own.floats(MATMUL.a)];
  if (kind.startsWith('packed')) return unpacked(stored, tokens, own.packing(k));
  if (kind === 'plain') return columnsOf(stored, tokens, own.number('A_STRIDE'), own.number('A_OFFSET'), k);
  const a = Float64Array.from(stored.subarray(0, tokens * k));
  switch (kind) {
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
      throw new LongtakeError('internal', `There is no reference for the prologue ${kind}.`);
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
    case 'unbiased':
      return ({ sum }) => sum;
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
