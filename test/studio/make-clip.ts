import { registerMediabunnyServer } from '@mediabunny/server';
import {
  BufferTarget,
  Mp4OutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny';

registerMediabunnyServer();

export interface TestClip {
  width: number;
  height: number;
  fps: number;
  frames: number;
  format?: 'mp4' | 'webm';
  /** Added to every frame's number, so that clips can be told apart. */
  first?: number;
}

/** Blocks in the top row; each is one bit of the frame's number. */
export const BITS = 8;

/**
 * A clip whose every frame carries its own number as a row of black and white blocks along the top, over a picture that
 * moves: exactness can be read off any frame.
 */
export async function makeClip(clip: TestClip): Promise<Uint8Array> {
  const { width, height, fps, frames, format = 'mp4', first = 0 } = clip;
  const target = new BufferTarget();
  const output = new Output({
    format: format === 'mp4' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat(),
    target,
  });
  const source = new VideoSampleSource({
    codec: format === 'mp4' ? 'avc' : 'vp9',
    quality: new Quality({ bitrate: 4e6 }),
    keyFrameInterval: 1,
  });
  output.addVideoTrack(source, { frameRate: fps });
  await output.start();
  for (let i = 0; i < frames; i += 1) {
    const sample = new VideoSample(paint(width, height, first + i), {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp: i / fps,
      duration: 1 / fps,
      colorSpace: { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false },
    });
    await source.add(sample);
    sample.close();
  }
  await output.finalize();
  return new Uint8Array(target.buffer!);
}

/** The number painted into a frame, read from its luma. */
export function readNumber(luma: Uint8Array, width: number, height: number): number {
  const block = Math.floor(width / BITS);
  const row = Math.floor(height / 16);
  let number = 0;
  for (let bit = 0; bit < BITS; bit += 1) {
    const x = bit * block + Math.floor(block / 2);
    if (luma[row * width + x]! > 126) number |= 1 << bit;
  }
  return number;
}

function paint(width: number, height: number, number: number): Uint8Array {
  const chromaWidth = width >> 1;
  const chromaHeight = height >> 1;
  const data = new Uint8Array(width * height + 2 * chromaWidth * chromaHeight);
  const block = Math.floor(width / BITS);
  const bar = Math.floor(height / 8);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const bit = Math.min(BITS - 1, Math.floor(x / block));
      const wall = 90 + 60 * Math.sin((x + 3 * number) / 23) + 40 * Math.sin(y / 17);
      data[y * width + x] = y < bar ? ((number >> bit) & 1 ? 230 : 22) : Math.min(230, Math.max(20, wall));
    }
  }
  for (let y = 0; y < chromaHeight; y += 1) {
    for (let x = 0; x < chromaWidth; x += 1) {
      const at = width * height + y * chromaWidth + x;
      const top = y < bar / 2;
      data[at] = top ? 128 : 128 + 40 * Math.sin((x - number) / 19);
      data[at + chromaWidth * chromaHeight] = top ? 128 : 128 + 40 * Math.cos((y + number) / 13);
    }
  }
  return data;
}
