import { describe, expect, it } from 'vitest';
import { decodePatches, encodePatches } from '../../src/engine/codec/patch.ts';
import { readSafetensors } from '../../src/engine/package/safetensors.ts';
import { detailOf, frameStep, seamFigures } from '../../src/engine/seam.ts';
import { Queue } from '../../src/engine/worker/queue.ts';
import { testFrame } from './test-frames.ts';

describe('the patch codec', () => {
  const shape = { rows: 2, columns: 3, patch: 4 };

  it('gives every 8-bit picture back unchanged', () => {
    const rgb = new Uint8ClampedArray(8 * 12 * 3).map((_, i) => (i * 37) % 256);
    const latents = new Float32Array(rgb.length);
    encodePatches(rgb, latents, shape);
    const back = new Uint8ClampedArray(rgb.length);
    decodePatches(latents, back, shape);
    expect(back).toEqual(rgb);
    // The second token of the first row holds columns 4 to 7, channels innermost.
    expect(latents[48 + 3]).toBeCloseTo(rgb[5 * 3]! / 127.5 - 1, 6);
  });

  it('clamps and rounds what the network makes', () => {
    const latents = new Float32Array(8 * 12 * 3)
      .fill(3)
      .fill(-3, 0, 1)
      .fill(0.5 / 127.5 - 1 + 1e-3, 1, 2);
    const rgb = new Uint8ClampedArray(latents.length);
    decodePatches(latents, rgb, shape);
    expect([...rgb.subarray(0, 3)]).toEqual([0, 1, 255]);
  });
});

describe('readSafetensors', () => {
  function file(header: object, data: number[]): Uint8Array<ArrayBuffer> {
    const text = new TextEncoder().encode(JSON.stringify(header));
    const bytes = new Uint8Array(8 + text.length + data.length);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
    bytes.set(text, 8);
    bytes.set(data, 8 + text.length);
    return bytes;
  }

  it('finds tensors and skips padding and metadata', () => {
    const tensors = readSafetensors(
      file(
        {
          __metadata__: { made: 'by hand' },
          'pad.0': { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
          a: { dtype: 'I8', shape: [1, 2], data_offsets: [2, 4] },
        },
        [9, 9, 5, 250],
      ),
    );
    expect([...tensors.keys()]).toEqual(['a']);
    expect([...tensors.get('a')!.bytes]).toEqual([5, 250]);
  });

  it('refuses what does not fit together', () => {
    const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
    const wrong = [
      new Uint8Array(3),
      file({ a: entry }, [1, 2, 3]),
      file({ a: { ...entry, dtype: 'C64' } }, [0, 0, 0, 0]),
      file({ a: { ...entry, shape: [2] } }, [0, 0, 0, 0]),
      file({}, []).fill(255, 0, 8),
    ];
    for (const bytes of wrong) expect(() => readSafetensors(bytes)).toThrow('weights are damaged');
  });
});

describe('seam figures', () => {
  it('measure steps in dB and colour', () => {
    const a = testFrame(0, 8, 8);
    expect(frameStep(a, a)).toEqual({ psnr: 100, colourStep: 0 });
    const brighter = {
      ...a,
      data: a.data.map((value, i) => (i % 4 === 3 ? value : Math.min(255, value + 3))),
    };
    const step = frameStep(a, brighter);
    expect(step.psnr).toBeCloseTo(10 * Math.log10(255 ** 2 / 9), 6);
    expect(step.colourStep).toBeCloseTo(3 * Math.sqrt(3), 6);
    expect(
      seamFigures(
        [
          { psnr: 30, colourStep: 1 },
          { psnr: 40, colourStep: 3 },
        ],
        a,
        brighter,
      ),
    ).toEqual({
      psnrAcrossCut: step.psnr,
      psnrWithinPrefix: 35,
      psnrRoughestStep: 30,
      colourStepAcrossCut: step.colourStep,
      colourStepWithinPrefix: 2,
      colourStepRoughest: 3,
      detailRatio: 1,
    });
    expect(seamFigures([], a, brighter).psnrWithinPrefix).toBe(step.psnr);
  });

  it('measure how much detail the new frame keeps', () => {
    const picture = (pixel: (x: number, y: number) => number) => ({
      width: 8,
      height: 8,
      data: Uint8ClampedArray.from({ length: 256 }, (_, i) => pixel((i >> 2) & 7, i >> 5)),
    });
    const sharp = picture((x, y) => ((x + y) & 1) * 80);
    const soft = picture((x, y) => ((x + y) & 1) * 20);
    const flat = picture(() => 90);
    // Every neighbour of a pixel of the chequered picture differs by its whole contrast.
    expect(detailOf(sharp)).toBe(4 * 80);
    expect(seamFigures([], sharp, soft).detailRatio).toBe(0.25);
    expect(seamFigures([], flat, sharp).detailRatio).toBe(1);
  });
});

describe('Queue', () => {
  it('keeps order, waits, and rejects after a failure whatever is left', async () => {
    const queue = new Queue<number>();
    queue.put(1);
    queue.put(2);
    expect([await queue.take(), await queue.take()]).toEqual([1, 2]);
    const waiting = queue.take();
    queue.put(3);
    expect(await waiting).toBe(3);
    const failing = queue.take();
    queue.fail(new Error('gone'));
    await expect(failing).rejects.toThrow('gone');
    queue.put(4);
    await expect(queue.take()).rejects.toThrow('gone');
  });
});
