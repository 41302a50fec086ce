import { LongtakeError } from '../types.ts';

const ITEM_BYTES = { F32: 4, F16: 2, I8: 1, U8: 1, I32: 4, U32: 4 } as const;

export type TensorType = keyof typeof ITEM_BYTES;

/** One tensor of a safetensors file. */
export interface TensorEntry {
  dtype: TensorType;
  shape: number[];
  /** View of the file's bytes, row-major, little-endian. */
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Lists the tensors of a safetensors file (8-byte little-endian header length, JSON header, data) without copying them.
 * Tensors named `pad.N`, which only fill holes, are left out.
 * @throws LongtakeError `package` when the header does not describe the file
 */
export function readSafetensors(file: Uint8Array<ArrayBuffer>): Map<string, TensorEntry> {
  const damaged = (why: string): LongtakeError =>
    new LongtakeError('package', `The world model's weights are damaged: ${why}.`);
  if (file.byteLength < 8) throw damaged('the file is too short');
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  const dataStart = 8 + headerLength;
  if (dataStart > file.byteLength) throw damaged('the header is longer than the file');
  let header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;
  try {
    header = JSON.parse(new TextDecoder().decode(file.subarray(8, dataStart))) as typeof header;
  } catch {
    throw damaged('the header can not be read');
  }
  const tensors = new Map<string, TensorEntry>();
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__' || name.startsWith('pad.')) continue;
    const itemBytes = ITEM_BYTES[dtype as TensorType];
    if (!itemBytes) throw damaged(`${name} has the unknown type ${dtype}`);
    const [start, end] = [dataStart + offsets[0], dataStart + offsets[1]];
    const size = shape.reduce((product, length) => product * length, itemBytes);
    if (end - start !== size || end > file.byteLength) throw damaged(`${name} does not fit its shape`);
    tensors.set(name, { dtype: dtype as TensorType, shape, bytes: file.subarray(start, end) });
  }
  return tensors;
}
