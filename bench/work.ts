import { LongtakeError } from '../src/engine/types.ts';
import type { Operation } from '../src/engine/world/webgpu/operation.ts';
import type { Program, Workgroups } from '../src/engine/world/webgpu/program.ts';

/** What an operation cannot avoid: arithmetic, and bytes with every input read once and every output written once. */
export interface Work {
  flops: number;
  bytes: number;
}

/**
 * Counts an operation's work from its program, whatever the kernel does to carry it out.
 * @param rows tokens of the pass
 * @param pass rollouts in it, each with a state of its own; whether their attention caches hold a chunk
 * @throws LongtakeError `internal` for a kernel that nobody has counted
 */
export function workOf(
  operation: Operation,
  rows: number,
  { rollouts = 1, hasPrevious = true }: Partial<Pass> = {},
): Work {
  const count = COUNTS[operation.program.file];
  if (!count) {
    throw new LongtakeError('internal', `The work of the kernel ${operation.program.file} is not counted.`);
  }
  return count(new Constants(operation.program), rows, { rollouts, hasPrevious }, operation.workgroups);
}

/** What a pass is over beside its rows. */
interface Pass {
  rollouts: number;
  hasPrevious: boolean;
}

type Count = (own: Constants, rows: number, pass: Pass, workgroups: Workgroups) => Work;

const F32 = 4;

const COUNTS: Readonly<Record<string, Count>> = {
  'matmul.wgsl': countMatmul,
  'matmul-units.wgsl': countMatmul,
  'matmul-packed.wgsl': countMatmul,
  'pack-rows.wgsl': (own, rows) => {
    const width = own.number('WIDTH');
    return {
      flops: 3 * rows * width,
      bytes: rows * (F32 * width + half(own) * width + (F32 * width) / own.number('SQUARED')),
    };
  },
  'ssd.wgsl': (own, rows, pass) => countScan(own, rows, pass, 5),
  'ssd-read.wgsl': (own, rows, pass) => countScan(own, rows, pass, 5),
  'ssd-write.wgsl': (own, rows, { rollouts }) => {
    const [heads, keys, values] = [own.number('HEADS'), own.number('KEY_LENGTH'), own.number('VALUE_LENGTH')];
    return {
      flops: 2 * rows * heads * keys * values,
      bytes: F32 * (rows * heads * (keys + values + 2) + 2 * rollouts * stateNumbers(own)),
    };
  },
  'ssd-scores.wgsl': (own, rows, _, workgroups) => {
    const [heads, keys] = [own.number('HEADS'), own.number('KEY_LENGTH')];
    const scores = scoresOf(own, rows, workgroups);
    const weighted = own.word('COMMIT') === '1' ? rows * heads * keys : 0;
    return {
      flops: 2 * scores * keys + 3 * rows * heads * keys,
      bytes: F32 * (rows * heads * (3 * keys + 2) + scores + weighted),
    };
  },
  'ssd-scores-read.wgsl': (own, rows, { rollouts }, workgroups) => {
    const [heads, keys, values] = [own.number('HEADS'), own.number('KEY_LENGTH'), own.number('VALUE_LENGTH')];
    const scores = scoresOf(own, rows, workgroups);
    return {
      flops: 2 * (scores + rows * heads * keys) * values,
      bytes: F32 * (scores + rows * heads * (keys + 2 * values) + rollouts * stateNumbers(own)),
    };
  },
  'ssd-scores-write.wgsl': (own, rows, { rollouts }) => {
    const [heads, keys, values] = [own.number('HEADS'), own.number('KEY_LENGTH'), own.number('VALUE_LENGTH')];
    return {
      flops: 2 * rows * heads * keys * values,
      bytes: F32 * (rows * heads * (keys + values) + 2 * rollouts * stateNumbers(own)),
    };
  },
  'gated-delta.wgsl': (own, rows, pass) => countScan(own, rows, pass, 7),
  'attention.wgsl': countAttention,
  'attention-units.wgsl': countAttention,
  'attention-direct.wgsl': countAttention,
  'cache-store.wgsl': (own, _, { rollouts }) => ({
    flops: 0,
    bytes: 2 * rollouts * kept(own) * 2 * own.number('CHUNK_TOKENS') * own.number('WIDTH'),
  }),
  'ray-features.wgsl': (own, rows) => {
    const frequencies = own.number('FREQUENCIES');
    return {
      flops: rows * frequencies * (12 + TRIGONOMETRY),
      bytes: F32 * (6 * rows + 6 * frequencies + 2 * rows * frequencies),
    };
  },
  'point-features.wgsl': (own, rows) => {
    const [frequencies, depths] = [own.number('FREQUENCIES'), own.number('DEPTHS')];
    return {
      flops: rows * frequencies * depths * (8 + TRIGONOMETRY),
      bytes: F32 * (rows * (6 + depths) + 3 * frequencies + 2 * rows * frequencies),
    };
  },
  'noise.wgsl': (own, rows) => ({
    flops: rows * own.number('CHANNELS') * NORMAL,
    bytes: F32 * rows * (own.number('CHANNELS') + 1),
  }),
};

/** Operations of one cosine and sine (kernels/trigonometry.wgsl), and of one normal number (kernels/random.wgsl). */
const TRIGONOMETRY = 20;
const NORMAL = 60;

function countMatmul(own: Constants, rows: number): Work {
  const [n, k] = [own.number('N'), own.number('K')];
  const weight = own.word('WEIGHT');
  const small = weight === 'mixed' ? own.number('SPLIT') : weight === 'int8' ? n : 0;
  const large = weight === 'half' ? F32 / 2 : F32;
  const weights = small * k + (n - small) * k * large + n * 8;
  const prologue = own.word('PROLOGUE');
  const store = own.word('STORE');
  const changed = store === 'add' || store === 'gate' || store === 'sample' ? 2 : 1;
  const extra =
    (prologue === 'head_gate' ? rows * k : 0) + (store === 'extra' ? rows * own.number('EXTRA_COLUMNS') : 0);
  const next = own.word('NEXT') === '1';
  const narrow = own.word('NARROW') === '1';
  // Sums of squares read and written.
  const squares =
    ((prologue === 'packed_modulated' ? rows * k : 0) + (next ? rows * n : 0)) / own.number('SQUARED');
  // Modulation vectors, or what is made of them, of two noise levels.
  const vectors =
    (prologue === 'modulate' ? 4 * k : 0) +
    (prologue === 'packed_modulated' ? 2 * n : 0) +
    (store === 'gate' ? (next ? 4 : 2) * n : 0);
  const packed = (own.word('PACKED') === '1' ? rows * k : 0) + (next || narrow ? rows * n : 0);
  const floats =
    (own.word('PACKED') === '1' ? 0 : rows * k) +
    (narrow ? 0 : changed * rows * n) +
    extra +
    vectors +
    squares;
  return { flops: 2 * rows * n * k, bytes: weights + F32 * floats + half(own) * packed };
}

/** Bytes of a number that matrix units multiply. */
function half(own: Constants): number {
  return own.word('NUMBER') === 'f16' ? 2 : F32;
}

/** Bytes of a number that queries, keys and values are kept as. */
function kept(own: Constants): number {
  return own.word('KEPT', 'f32') === 'f16' ? 2 : F32;
}

function countAttention(own: Constants, rows: number, { rollouts, hasPrevious }: Pass): Work {
  const width = own.number('HEADS') * own.number('HEAD_LENGTH');
  const keys = own.number('CHUNK_TOKENS') * (hasPrevious ? 2 : 1);
  const cache = hasPrevious ? 2 * rollouts * own.number('CHUNK_TOKENS') * width : 0;
  const out = own.word('OUT', 'rows') === 'packed' ? half(own) : F32;
  return {
    flops: 4 * rows * keys * width,
    bytes: kept(own) * (3 * rows * width + cache) + out * rows * width,
  };
}

/** @param each operations for every number of a head's state and token, by the definition in docs/model.md */
function countScan(own: Constants, rows: number, { rollouts }: Pass, each: number): Work {
  const [heads, keys, values] = [own.number('HEADS'), own.number('KEY_LENGTH'), own.number('VALUE_LENGTH')];
  // The tiled kernel that writes the state is counted for itself.
  const written = own.word('COMMIT', '0') === '1' ? 2 : 1;
  const state = written * rollouts * stateNumbers(own);
  return {
    flops: each * rows * heads * keys * values,
    bytes: F32 * (rows * heads * (2 * keys + 2 * values + 2) + state),
  };
}

/** Scores of a short scan: of every token of a block and head with itself and those before. */
function scoresOf(own: Constants, rows: number, [, , blocks]: Workgroups): number {
  return (own.number('HEADS') * rows * (rows / blocks + 1)) / 2;
}

/** Numbers in a layer's scan state of one rollout. */
function stateNumbers(own: Constants): number {
  const blocks =
    (own.number('GRID_ROWS') * own.number('GRID_COLUMNS')) /
    (own.number('BLOCK_ROWS') * own.number('BLOCK_COLUMNS'));
  return blocks * own.number('HEADS') * own.number('KEY_LENGTH') * own.number('VALUE_LENGTH');
}

/** A program's constants by name; asking for one that is not there is an error. */
class Constants {
  readonly #program: Program;

  constructor(program: Program) {
    this.#program = program;
  }

  number(name: string): number {
    return Number(this.word(name));
  }

  /** @param missing what a program without the constant means */
  word(name: string, missing?: string): string {
    const value = this.#program.constants[name] ?? missing;
    if (value === undefined) {
      throw new LongtakeError('internal', `${this.#program.file} has no constant ${name}.`);
    }
    return String(value);
  }
}
