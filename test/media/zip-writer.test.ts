import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { crc32 } from 'node:zlib';
import { ZipWriter } from '../../src/media/zip-writer.ts';
import { SparseFile, zeros } from './sparse-file.ts';
import { listZip } from './zip-reader.ts';

async function zipped(entries: Iterable<[string, string]>, byReference = false): Promise<Uint8Array> {
  const parts: BlobPart[] = [];
  const take = async (part: BlobPart): Promise<void> => void parts.push(part);
  const zip = new ZipWriter(take, byReference ? take : null, new Date(2026, 4, 6, 7, 8, 10));
  for (const [name, text] of entries) await zip.add(name, new Blob([text]));
  await zip.finish();
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

describe('the zip writer', () => {
  it('writes files that another program reads back, names in any language', async () => {
    const bytes = await zipped([
      ['walk (Studio)/Straße 01.otio', 'timeline'],
      ['empty', ''],
      ['walk (Studio)/日本.mp4', 'x'.repeat(300_000)],
    ]);
    const files = unzipSync(bytes);
    expect(Object.keys(files)).toEqual(['walk (Studio)/Straße 01.otio', 'empty', 'walk (Studio)/日本.mp4']);
    expect(Object.values(files).map((file) => strFromU8(file))).toEqual([
      'timeline',
      '',
      'x'.repeat(300_000),
    ]);
    // CRC-32 of “timeline”, and 2026-05-06 07:08:10 as MS-DOS packs it.
    const view = new DataView(bytes.buffer);
    expect(view.getUint32(14, true)).toBe(0x46fec666);
    expect(view.getUint32(10, true)).toBe((((46 << 9) | (5 << 5) | 6) << 16) | (7 << 11) | (8 << 5) | 5);
  });

  it('writes the same file where contents are only referred to', async () => {
    const entries: [string, string][] = [
      ['a', 'x'.repeat(100_000)],
      ['b', ''],
      ['c', 'words'],
    ];
    expect(await zipped(entries, true)).toEqual(await zipped(entries));
  });

  it('counts more files than a plain zip can', async () => {
    const many = function* (): Generator<[string, string]> {
      for (let i = 0; i < 65_600; i += 1) yield [`${i}`, ''];
    };
    const bytes = await zipped(many());
    const view = new DataView(bytes.buffer);
    const at = bytes.length - 22;
    expect(view.getUint16(at + 10, true)).toBe(0xffff);
    expect(view.getUint32(at - 20, true)).toBe(0x07064b50);
    const record = Number(view.getBigUint64(at - 12, true));
    expect(view.getUint32(record, true)).toBe(0x06064b50);
    expect(view.getBigUint64(record + 32, true)).toBe(65_600n);
    const file = new SparseFile();
    await file.write(bytes);
    expect(listZip(file).map(({ name }) => Number(name))).toEqual(
      Array.from({ length: 65_600 }, (_, i) => i),
    );
  });

  it('writes archives and files of over 4 GiB as ZIP64, files behind them too, and nothing else', async () => {
    const file = new SparseFile();
    const zip = new ZipWriter(file.write, file.append);
    await zip.add('notes.txt', new Blob(['before']));
    await zip.add('long.mp4', zeros(2 ** 32 + 5));
    await zip.add('report.json', new Blob(['behind it']));
    await zip.finish();
    const files = listZip(file);
    expect(files.map(({ name, size, zip64 }) => [name, size, zip64])).toEqual([
      ['notes.txt', 6, false],
      ['long.mp4', 2 ** 32 + 5, true],
      ['report.json', 9, true],
    ]);
    expect(files[2]!.at).toBeGreaterThan(2 ** 32);
    expect(new TextDecoder().decode(file.read(files[2]!.at, 9))).toBe('behind it');
    // Of so many zeros, by zlib.
    expect(files[1]!.crc).toBe(0xb1c2a1a3);
  }, 60_000);

  it.each([
    ['the largest plain file', 0xfffffffe, false],
    ['the smallest file that is ZIP64', 0xffffffff, true],
  ])('%s', async (_, size, zip64) => {
    const file = new SparseFile();
    const zip = new ZipWriter(file.write, file.append);
    // Only the headers matter: no byte is read for its sum.
    await zip.add('a.mp4', zeros(0, size));
    await zip.finish();
    expect(listZip(file)).toMatchObject([{ name: 'a.mp4', size, zip64 }]);
  });

  it('sums bytes as zlib does, in pieces of any length', async () => {
    const bytes = Uint8Array.from({ length: 1003 }, (_, i) => (i * i * 31) >> 3);
    for (const length of [0, 1, 7, 8, 9, 15, 64, 1003]) {
      const file = new SparseFile();
      const zip = new ZipWriter(file.write, file.append);
      await zip.add('x', new Blob([bytes.subarray(0, length)]));
      await zip.finish();
      expect(listZip(file)[0]!.crc).toBe(crc32(bytes.subarray(0, length)));
    }
  });
});
