import { writeFile } from 'node:fs/promises';
import {
  AudioSample,
  AudioSampleSource,
  BufferTarget,
  MkvOutputFormat,
  MovOutputFormat,
  Mp4OutputFormat,
  MpegTsOutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
  type AudioCodec,
  type Rotation,
  type VideoCodec,
} from 'mediabunny';
import { registerMediaCodecs } from '../../src/media/node/register.ts';
import { paintFrame } from './painted-frame.ts';

export interface PaintedClipOptions {
  container?: 'mp4' | 'mov' | 'webm' | 'mkv' | 'ts';
  codec?: VideoCodec;
  width?: number;
  height?: number;
  /** Frames a second; time stamps are exact multiples. */
  rate?: number;
  frames?: number;
  /** Own time stamps in seconds, instead of `rate` and `frames`. */
  stamps?: number[];
  rotation?: Rotation;
  /** Width at which the picture is to be shown, for pixels that are not square. */
  displayWidth?: number;
  /** With a plane of transparency (WebM). */
  transparent?: boolean;
  /** Seconds between key frames. */
  keyFrameInterval?: number;
  sound?: { codec: AudioCodec; seconds: number; start?: number };
  /** No picture track at all. */
  noPicture?: boolean;
}

/** Writes a painted clip and returns its bytes too. */
export async function writePaintedClip(path: string, options: PaintedClipOptions = {}): Promise<Uint8Array> {
  registerMediaCodecs();
  const { container = 'mp4', width = 64, height = 48, rate = 24, frames = 12, rotation = 0 } = options;
  const codec = options.codec ?? (container === 'webm' ? 'vp9' : 'avc');
  const formats = {
    mp4: () => new Mp4OutputFormat({ fastStart: 'in-memory' }),
    // The index at the end, where cameras write it.
    mov: () => new MovOutputFormat({ fastStart: false }),
    webm: () => new WebMOutputFormat(),
    mkv: () => new MkvOutputFormat(),
    ts: () => new MpegTsOutputFormat(),
  };
  const output = new Output({ format: formats[container](), target: new BufferTarget() });
  const video = new VideoSampleSource({
    codec,
    quality: new Quality({ bitrate: 3_000_000 }),
    keyFrameInterval: options.keyFrameInterval ?? 2,
    ...(options.transparent === true ? { alpha: 'keep' as const } : {}),
  });
  if (options.noPicture !== true) {
    output.addVideoTrack(video, { rotation, ...(options.stamps === undefined ? { frameRate: rate } : {}) });
  }
  const audio =
    options.sound &&
    new AudioSampleSource({ codec: options.sound.codec, quality: new Quality({ bitrate: 96_000 }) });
  if (audio) output.addAudioTrack(audio);
  await output.start();
  if (options.sound && audio) await addTone(audio, options.sound.seconds, options.sound.start ?? 0);
  const stamps = options.stamps ?? Array.from({ length: frames }, (_, i) => i / rate);
  if (options.noPicture !== true) {
    for (const [i, timestamp] of stamps.entries()) {
      const next = stamps[i + 1] ?? timestamp + (timestamp - (stamps[i - 1] ?? timestamp - 1 / rate));
      const { data } = paintFrame(i, width, height);
      const shown =
        options.displayWidth === undefined
          ? {}
          : { displayWidth: options.displayWidth, displayHeight: height };
      const format = options.transparent === true ? ('RGBA' as const) : ('RGBX' as const);
      if (options.transparent === true) for (let at = 3; at < data.length / 2; at += 4) data[at] = 0;
      const init = { format, codedWidth: width, codedHeight: height, ...shown };
      const sample = new VideoSample(data, { ...init, timestamp, duration: next - timestamp });
      await video.add(sample);
      sample.close();
    }
  }
  await output.finalize();
  const bytes = new Uint8Array(output.target.buffer!);
  await writeFile(path, bytes);
  return bytes;
}

async function addTone(source: AudioSampleSource, seconds: number, start: number): Promise<void> {
  const sampleRate = 48_000;
  const data = Float32Array.from(
    { length: Math.round(seconds * sampleRate) },
    (_, i) => 0.2 * Math.sin(i / 20),
  );
  const sample = new AudioSample({ data, format: 'f32', numberOfChannels: 1, sampleRate, timestamp: start });
  await source.add(sample);
  sample.close();
}
