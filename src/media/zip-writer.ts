import { nextTask } from '../engine/next-task.ts';

/** Values from which a field of a zip file moves to its ZIP64 form. */
const LIMIT = { size: 0xffffffff, entries: 0xffff };
/** Names are UTF-8. */
const FLAGS = 0x0800;
const VERSION = { plain: 20, zip64: 45 };

interface Entry {
  name: Uint8Array;
  crc: number;
  size: number;
  offset: number;
}

/**
 * Writes a zip file front to back, its entries stored as they are: pictures and videos do not get smaller. Files and
 * archives over 4 GiB are written as ZIP64.
 */
export class ZipWriter {
  private readonly entries: Entry[] = [];
  private readonly stamp: number;
  private offset = 0;

  /**
   * @param write takes the file's bytes in order
   * @param append takes an entry's content in its place among them, where it need not be read into memory; without it
   *   contents go to `write` too
   * @param date of all entries
   */
  constructor(
    private readonly write: (bytes: Uint8Array<ArrayBuffer>) => Promise<void>,
    private readonly append: ((content: Blob) => Promise<void>) | null = null,
    date = new Date(),
  ) {
    this.stamp = dosTime(date);
  }

  /** Adds a file. @param name with forward slashes; each only once */
  async add(name: string, content: Blob): Promise<void> {
    let crc = 0;
    for await (const bytes of chunks(content)) crc = crc32(bytes, crc);
    const entry = { name: new TextEncoder().encode(name), crc, size: content.size, offset: this.offset };
    await this.put(localHeader(entry, this.stamp), entry.name);
    if (entry.size >= LIMIT.size) await this.put(localZip64(entry.size));
    if (this.append) {
      await this.append(content);
      this.offset += content.size;
    } else {
      for await (const bytes of chunks(content)) await this.put(bytes);
    }
    this.entries.push(entry);
  }

  /** Writes the list of files; nothing can be added after it. */
  async finish(): Promise<void> {
    const start = this.offset;
    for (const entry of this.entries) {
      const extra = centralZip64(entry);
      await this.put(centralHeader(entry, this.stamp, extra.length), entry.name, extra);
    }
    const size = this.offset - start;
    const count = this.entries.length;
    if (count >= LIMIT.entries || size >= LIMIT.size || start >= LIMIT.size) {
      await this.put(zip64End(count, size, start, this.offset));
    }
    await this.put(end(count, size, start));
  }

  private async put(...parts: Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (length === 0) return;
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    await this.write(bytes);
    this.offset += length;
  }
}

async function* chunks(content: Blob): AsyncGenerator<Uint8Array> {
  if (content.size === 0) return;
  const reader = content.stream().getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    // What has been read already comes without a pause: in a page clicks would wait for all of it.
    await nextTask();
    yield step.value;
  }
}

/** Little-endian fields, each [bytes, value]. */
function fields(...list: readonly [2 | 4 | 8, number][]): Uint8Array {
  const bytes = new Uint8Array(list.reduce((sum, [length]) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [length, value] of list) {
    if (length === 2) view.setUint16(at, value, true);
    else if (length === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += length;
  }
  return bytes;
}

const capped = (value: number): number => Math.min(value, LIMIT.size);

function localHeader({ name, crc, size }: Entry, stamp: number): Uint8Array {
  const big = size >= LIMIT.size;
  return fields(
    [4, 0x04034b50],
    [2, big ? VERSION.zip64 : VERSION.plain],
    [2, FLAGS],
    [2, 0],
    [4, stamp],
    [4, crc],
    [4, capped(size)],
    [4, capped(size)],
    [2, name.length],
    [2, big ? 20 : 0],
  );
}

function localZip64(size: number): Uint8Array {
  return fields([2, 1], [2, 16], [8, size], [8, size]);
}

function centralZip64({ size, offset }: Entry): Uint8Array {
  const values: [8, number][] = [];
  if (size >= LIMIT.size) values.push([8, size], [8, size]);
  if (offset >= LIMIT.size) values.push([8, offset]);
  return values.length === 0 ? new Uint8Array() : fields([2, 1], [2, 8 * values.length], ...values);
}

function centralHeader({ name, crc, size, offset }: Entry, stamp: number, extra: number): Uint8Array {
  const version = extra > 0 ? VERSION.zip64 : VERSION.plain;
  return fields(
    [4, 0x02014b50],
    [2, version],
    [2, version],
    [2, FLAGS],
    [2, 0],
    [4, stamp],
    [4, crc],
    [4, capped(size)],
    [4, capped(size)],
    [2, name.length],
    [2, extra],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, capped(offset)],
  );
}

function zip64End(count: number, size: number, start: number, at: number): Uint8Array {
  return fields(
    [4, 0x06064b50],
    [8, 44],
    [2, VERSION.zip64],
    [2, VERSION.zip64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, size],
    [8, start],
    // Where this record is.
    [4, 0x07064b50],
    [4, 0],
    [8, at],
    [4, 1],
  );
}

function end(count: number, size: number, start: number): Uint8Array {
  const entries = Math.min(count, LIMIT.entries);
  return fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, entries],
    [2, entries],
    [4, capped(size)],
    [4, capped(start)],
    [2, 0],
  );
}

/** A date and time as MS-DOS packs them: time in the low 16 bits, to two seconds. */
function dosTime(date: Date): number {
  const day =
    ((Math.max(1980, date.getFullYear()) - 1980) << 9) | ((date.getMonth() + 1) << 5) | date.getDate();
  const time = (date.getHours() << 11) | (date.getMinutes() << 5) | (date.getSeconds() >> 1);
  return ((day << 16) | time) >>> 0;
}

/** Tables for eight bytes at a time: what a byte does to the sum when 0 … 7 more bytes follow it. */
const TABLES = new Int32Array(8 * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  TABLES[byte] = value;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = TABLES[at - 256]!;
  TABLES[at] = TABLES[before & 0xff]! ^ (before >>> 8);
}

/** CRC-32, in the page itself for gigabytes: eight bytes at a time take less than half of what one by one do. */
function crc32(bytes: Uint8Array, before: number): number {
  const t = TABLES;
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      t[0x700 | (crc & 0xff)]! ^
      t[0x600 | ((crc >>> 8) & 0xff)]! ^
      t[0x500 | ((crc >>> 16) & 0xff)]! ^
      t[0x400 | (crc >>> 24)]! ^
      t[0x300 | bytes[i + 4]!]! ^
      t[0x200 | bytes[i + 5]!]! ^
      t[0x100 | bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = t[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
