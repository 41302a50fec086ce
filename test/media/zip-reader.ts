import type { SparseFile } from './sparse-file.ts';

export interface ListedFile {
  name: string;
  size: number;
  crc: number;
  /** Where its content begins. */
  at: number;
  zip64: boolean;
}

/**
 * The files that a zip archive lists, read as PKWARE's APPNOTE says, from the end. Not a byte may be left over between them, and
 * every local header must say the same as the list.
 */
export function listZip(file: SparseFile): ListedFile[] {
  const end = file.read(file.length - 22, 22);
  expectSignature(end, 0x06054b50);
  let count = end.getUint16(10, true);
  let size = end.getUint32(12, true);
  let start = end.getUint32(16, true);
  let after = file.length - 22;
  if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
    const locator = file.read(after - 20, 20);
    expectSignature(locator, 0x07064b50);
    const at = long(locator, 8);
    const record = file.read(at, 56);
    expectSignature(record, 0x06064b50);
    same('the record of the end', at + 12 + long(record, 4), after - 20);
    count = long(record, 32);
    size = long(record, 40);
    start = long(record, 48);
    after = at;
  }
  same('the list', start + size, after);

  const files: ListedFile[] = [];
  let at = start;
  let content = 0;
  for (let i = 0; i < count; i++) {
    const header = file.read(at, 46);
    expectSignature(header, 0x02014b50);
    const nameLength = header.getUint16(28, true);
    const extraLength = header.getUint16(30, true);
    const name = text(file.read(at + 46, nameLength));
    const extra = extraLength > 0 ? file.read(at + 46 + nameLength, extraLength) : null;
    at += 46 + nameLength + extraLength;
    const long64 = zip64(extra);
    const size = field(header, 24, long64);
    same(`both sizes of ${name}`, field(header, 20, long64), size);
    const offset = field(header, 42, long64);
    if (long64.length > 0) throw new Error(`${name} has a ZIP64 value that is not needed.`);
    same(`the place of ${name}`, offset, content);

    const local = file.read(offset, 30);
    expectSignature(local, 0x04034b50);
    const localExtra = local.getUint16(28, true);
    const begin = offset + 30 + nameLength;
    const sizes = zip64(localExtra > 0 ? file.read(begin, localExtra) : null);
    const same64 = sizes.length === (header.getUint32(24, true) === 0xffffffff ? 2 : 0);
    if (!same64) throw new Error(`The local header of ${name} is not ZIP64 where its size is.`);
    same(`the local size of ${name}`, field(local, 22, sizes), size);
    same(`the other local size of ${name}`, field(local, 18, sizes), size);
    same(`the local CRC of ${name}`, local.getUint32(14, true), header.getUint32(16, true));
    files.push({
      name,
      size,
      crc: header.getUint32(16, true),
      at: begin + localExtra,
      zip64: header.getUint16(6, true) === 45,
    });
    content = begin + localExtra + size;
  }
  same('the end of the list', at, start + size);
  same('the contents', content, start);
  return files;
}

/** The values of a ZIP64 extra field, in order. */
function zip64(extra: DataView | null): number[] {
  if (!extra) return [];
  same('the kind of an extra field', extra.getUint16(0, true), 1);
  same('the length of an extra field', extra.getUint16(2, true), extra.byteLength - 4);
  return Array.from({ length: (extra.byteLength - 4) / 8 }, (_, i) => long(extra, 4 + 8 * i));
}

/** A value of 32 bits, or the next one of the extra field where it says so. */
function field(header: DataView, at: number, long64: number[]): number {
  const value = header.getUint32(at, true);
  if (value !== 0xffffffff) return value;
  const next = long64.shift();
  if (next === undefined) throw new Error('A ZIP64 value is missing.');
  return next;
}

const long = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));
const text = (view: DataView): string => new TextDecoder().decode(view);

function expectSignature(view: DataView, signature: number): void {
  same('a signature', view.getUint32(0, true), signature);
}

function same(what: string, found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`Of ${what}, ${found} was found and ${wanted} expected.`);
}
