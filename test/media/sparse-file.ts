/**
 * A file of zeros of any size, of which nothing lies in memory.
 * @param claimed the size that it says it has
 */
export function zeros(size: number, claimed = size): Blob {
  const part = new Uint8Array(2 ** 20);
  const stream = (): ReadableStream<Uint8Array> => {
    let left = size;
    return new ReadableStream({
      pull(controller) {
        if (left === 0) return controller.close();
        const length = Math.min(left, part.length);
        left -= length;
        controller.enqueue(part.subarray(0, length));
      },
    });
  };
  return Object.defineProperties(new Blob(), { size: { value: claimed }, stream: { value: stream } });
}

/** What is written to a file of any size, but for large contents, of which only the length counts. */
export class SparseFile {
  length = 0;
  private readonly parts: { at: number; bytes: Uint8Array }[] = [];

  readonly write = async (bytes: Uint8Array): Promise<void> => {
    this.parts.push({ at: this.length, bytes });
    this.length += bytes.length;
  };

  readonly append = async (content: Blob): Promise<void> => {
    if (content.size < 2 ** 20) return this.write(new Uint8Array(await content.arrayBuffer()));
    this.length += content.size;
  };

  /** @throws where it was left out, or was never written */
  read(at: number, length: number): DataView {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const part = this.parts.find((each) => each.at <= at + done && at + done < each.at + each.bytes.length);
      if (!part) throw new RangeError(`Nothing is kept at ${at + done}.`);
      const piece = part.bytes.subarray(at + done - part.at).subarray(0, length - done);
      bytes.set(piece, done);
      done += piece.length;
    }
    return new DataView(bytes.buffer);
  }
}
