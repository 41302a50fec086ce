import { strFromU8, unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { ZipWriter } from '../../src/media/zip-writer.ts';

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
  });
});
