import {
  EncodedAudioPacketSource,
  EncodedPacketSink,
  Mp4OutputFormat,
  Output,
  Quality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
  type InputAudioTrack,
  type Target,
} from 'mediabunny';
import { LongtakeError, type Rational, type RgbaFrame } from '../engine/types.ts';
import { colourSpace, type ColourTags } from './colour.ts';
import type { Clip } from './open-clip.ts';
import { evenSize, joinedMemory, padToEven, wholeMemory, type YuvPicture } from './picture.ts';
import { frameStart, rateToNumber } from './rational.ts';
import { rgbaToPictureInSlices } from './rgb.ts';

/** `mp4` = H.264 in MP4, `webm` = VP9 in WebM. */
export type ClipFormat = 'mp4' | 'webm';

export interface ClipWriterOptions {
  format: ClipFormat;
  size: { width: number; height: number };
  rate: Rational;
  colour: ColourTags;
  /** Where the file goes: `BufferTarget` in memory, `StreamTarget` to OPFS or a file. */
  target: Target;
}

/** A sound track to be copied: packets of `track` in [from, until) of its own time, moved by `shift` seconds. */
interface SoundCopy {
  source: EncodedAudioPacketSource;
  track: InputAudioTrack;
  from: number;
  until: number;
  shift: number;
}

/**
 * Encodes frames one by one to a video file of constant rate, with the colour tags of the clip they belong to. Ends with
 * `finish` (the file is whole) or `cancel` (the target must be thrown away). The file has even sides: 4:2:0 codecs and the
 * browser interfaces to them do not keep odd ones, so an odd side is made one pixel longer by repeating the edge.
 */
export class ClipWriter {
  private readonly output: Output;
  private readonly video: VideoSampleSource;
  private readonly sounds: SoundCopy[] = [];
  private written = 0;
  private started = false;

  constructor(private readonly options: ClipWriterOptions) {
    const { format, rate, target } = options;
    this.output = new Output({
      // The index goes to the front so that web players can start before they have the whole file.
      format: format === 'mp4' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat(),
      target,
    });
    const { width, height } = evenSize(options.size);
    this.video = new VideoSampleSource({
      codec: format === 'mp4' ? 'avc' : 'vp9',
      // A fixed quantiser where the encoder has one; elsewhere a rate at which the loss stays invisible.
      quality: new Quality({
        quantizer: format === 'mp4' ? 14 : 16,
        bitrate: Math.round(Math.max(4e5, 0.35 * width * height * rateToNumber(rate))),
      }),
      keyFrameInterval: 1,
      latencyMode: 'quality',
    });
    this.output.addVideoTrack(this.video, { frameRate: rateToNumber(rate) });
  }

  /** Frames written so far. */
  get frameCount(): number {
    return this.written;
  }

  /**
   * Copies the sound of a part of a clip, packet by packet and without loss, so that the part's first frame meets frame
   * `atFrame` of this file. Must be called before the first frame.
   * @returns false where the clip is silent or its sound does not go into this kind of file
   */
  async copySound(part: { clip: Clip; start: number; count: number }, atFrame: number): Promise<boolean> {
    const { rate } = this.options;
    const sound = await part.clip.sound();
    const codec = sound === null ? null : await sound.track.getCodec();
    if (sound === null || codec === null) return false;
    if (!this.output.format.getSupportedAudioCodecs().includes(codec)) return false;
    const source = new EncodedAudioPacketSource(codec);
    this.output.addAudioTrack(source);
    const from = sound.origin + frameStart(part.start, rate);
    const until = sound.origin + frameStart(part.start + part.count, rate);
    this.sounds.push({ source, track: sound.track, from, until, shift: frameStart(atFrame, rate) - from });
    return true;
  }

  /** Appends a frame. The picture must have the size given at the start. */
  async addPicture(picture: YuvPicture): Promise<void> {
    await this.start();
    const { rate, colour } = this.options;
    const { width, height, ...planes } = padToEven(picture);
    const bytes = wholeMemory(planes) ?? joinedMemory(planes);
    const sample = new VideoSample(bytes, {
      format: 'I420',
      codedWidth: width,
      codedHeight: height,
      timestamp: frameStart(this.written, rate),
      duration: rate.den / rate.num,
      colorSpace: colourSpace(colour),
    });
    try {
      await this.video.add(sample);
    } catch (cause) {
      throw outputError(cause);
    } finally {
      sample.close();
    }
    this.written++;
  }

  /** Appends a frame of the model. */
  async addFrame(frame: RgbaFrame): Promise<void> {
    await this.addPicture(await rgbaToPictureInSlices(frame, this.options.colour));
  }

  /** Completes the file. Frames can not be added any more. */
  async finish(): Promise<void> {
    try {
      await this.output.finalize();
    } catch (cause) {
      throw outputError(cause);
    }
  }

  /** Gives up: frees the encoder. The target's content is worthless afterwards. */
  async cancel(): Promise<void> {
    if (this.output.state === 'pending' || this.output.state === 'started') await this.output.cancel();
  }

  private async start(): Promise<void> {
    if (this.started) return;
    this.started = true;
    try {
      await this.output.start();
      // Sound first: its packets are few, and the muxer then interleaves the frames with them as they come.
      for (const sound of this.sounds) await copyPackets(sound);
    } catch (cause) {
      throw outputError(cause);
    }
  }
}

async function copyPackets({ source, track, from, until, shift }: SoundCopy): Promise<void> {
  const config = await track.getDecoderConfig();
  const meta = config === null ? undefined : { decoderConfig: config };
  for await (const packet of new EncodedPacketSink(track).packets()) {
    // Packets are taken whole: those that begin in the part. What lies before it (codec run-in, trims) stays out.
    if (packet.timestamp < from - 1e-6) continue;
    if (packet.timestamp >= until - 1e-6) break;
    await source.add(packet.clone({ timestamp: Math.max(0, packet.timestamp + shift) }), meta);
  }
  source.close();
}

function outputError(cause: unknown): LongtakeError {
  if (cause instanceof LongtakeError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  const full = /ENOSPC|QuotaExceeded/.test(`${reason} ${cause instanceof Error ? cause.name : ''}`);
  const why = full ? 'there is no space left' : reason.replace(/\.$/, '');
  return new LongtakeError('output', `The video could not be written: ${why}.`, { cause });
}
