import {
  ALL_FORMATS,
  EncodedPacketSink,
  Input,
  MPEG_TS,
  VideoSampleSink,
  type InputAudioTrack,
  type InputVideoTrack,
  type Source,
  type VideoSample,
} from 'mediabunny';
import { LongtakeError, type Rational, type RgbaFrame } from '../engine/types.ts';
import { completeTags, type ColourTags } from './colour.ts';
import { findLattice, type FrameLattice } from './frame-times.ts';
import { FrameWalk } from './frame-walk.ts';
import { checkPictureSize, MAX_FRAMES } from './limits.ts';
import { scalePicture, turnPicture, type YuvPicture } from './picture.ts';
import { rateForPeople, rateToNumber } from './rational.ts';
import { pictureToRgbaInSlices } from './rgb.ts';
import { samplePicture } from './sample-picture.ts';
import { throwIfCancelled } from '../engine/cancel.ts';

/** What `openClip` learnt of a clip. */
export interface ClipFacts {
  /** Size as shown: upright, square pixels. */
  size: { width: number; height: number };
  rate: Rational;
  frameCount: number;
  codec: string;
  colour: ColourTags;
  /** Things the user should know, one sentence each: a rate that was made constant, and the like. */
  notices: string[];
}

/**
 * A video file opened for exact reading. Frames are counted from 0 and delivered upright in square pixels.
 * `dispose` must be called at the end; reading after it fails.
 */
export class Clip {
  constructor(
    readonly facts: ClipFacts,
    private readonly input: Input,
    private readonly track: InputVideoTrack,
    private readonly lattice: FrameLattice,
    private readonly name: string,
    /** Frames at which decoding can begin, ascending. */
    private readonly keyFrames: readonly number[],
  ) {}

  /**
   * Frames `start` … `start + count − 1` in order, as Y'CbCr.
   * @throws LongtakeError 'input' when a frame is damaged or missing, 'cancelled' after `signal` fired
   */
  async *pictures(
    start = 0,
    count = this.facts.frameCount - start,
    signal?: AbortSignal,
  ): AsyncGenerator<YuvPicture> {
    const { rate, start: origin, conformed } = this.lattice;
    const frame = rate.den / rate.num;
    const centres = Array.from(
      { length: count },
      (_, i) => origin + ((2 * (start + i) + 1) * rate.den) / (2 * rate.num),
    );
    const sink = new VideoSampleSink(this.track);
    const samples = sink.samplesAtTimestamps(centres);
    let index = start;
    let previous: { timestamp: number; picture: YuvPicture } | null = null;
    // Ends the decoding at once, not with the next frame: what nobody wants any more would take the time of what is wanted.
    const stop = () => void samples.return(undefined);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      while (index < start + count) {
        throwIfCancelled(signal);
        const next = await this.guard(samples.next(), index);
        throwIfCancelled(signal);
        const sample = next.done === true ? null : next.value;
        if (sample === null) throw this.damaged(index);
        try {
          // With a constant rate each frame has its own sample; an older one in its place means it could not be decoded.
          if (!conformed && Math.abs(sample.timestamp - origin - index * frame) > frame / 2)
            throw this.damaged(index);
          if (previous === null || previous.timestamp !== sample.timestamp) {
            previous = { timestamp: sample.timestamp, picture: await this.upright(sample) };
          }
        } finally {
          sample.close();
        }
        yield previous.picture;
        index++;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      await samples.return(undefined);
    }
  }

  /** Goes through the frames from `start` to `end`, or as far as somebody asks. */
  walk(start: number, end: number | null): FrameWalk {
    return new FrameWalk(this.track, this.lattice, start, end, (sample) => this.upright(sample));
  }

  /** The frame from which on a frame is decoded, going by the file's index. */
  keyFrame(frame: number): number {
    let [low, high] = [0, this.keyFrames.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.keyFrames[middle]! <= frame) low = middle + 1;
      else high = middle;
    }
    return this.keyFrames[low - 1] ?? 0;
  }

  /** The same frames as RGBA, ready for a model. */
  async *frames(
    start = 0,
    count = this.facts.frameCount - start,
    signal?: AbortSignal,
  ): AsyncGenerator<RgbaFrame> {
    for await (const picture of this.pictures(start, count, signal))
      yield await pictureToRgbaInSlices(picture, this.facts.colour);
  }

  /** The clip's main sound track with the time (seconds) at which frame 0 is shown, or null for a silent clip. */
  async sound(): Promise<{ track: InputAudioTrack; origin: number } | null> {
    const track = await this.input.getPrimaryAudioTrack();
    return track === null ? null : { track, origin: this.lattice.start };
  }

  dispose(): void {
    this.input.dispose();
  }

  private async upright(sample: VideoSample): Promise<YuvPicture> {
    checkPictureSize(sample.visibleRect.width, sample.visibleRect.height, `The picture in “${this.name}”`);
    const rotation = await this.track.getRotation();
    const flip = await this.track.getFlip();
    const picture = await samplePicture(sample, this.facts.colour);
    const turned = turnPicture(picture, rotation, flip);
    return scalePicture(turned, this.facts.size.width, this.facts.size.height);
  }

  private async guard<T>(result: Promise<T>, index: number): Promise<T> {
    try {
      return await result;
    } catch (cause) {
      throw this.damaged(index, cause);
    }
  }

  /** The error of a frame that can not be decoded. */
  damaged(index: number, cause?: unknown): LongtakeError {
    const message = `“${this.name}” is damaged or incomplete: frame ${index + 1} of ${this.facts.frameCount} can not be decoded.`;
    return new LongtakeError('input', message, { cause });
  }
}

/**
 * Opens a video file: finds its picture size, rate, length and colours and checks that it can be used, without decoding
 * more than one frame.
 * @param source the file's bytes (`BlobSource` in a browser; `src/media/node` opens paths)
 * @param name what the user calls the file; used in messages
 * @throws LongtakeError 'input' with one sentence on what is wrong; 'cancelled' after `signal` fired
 */
export async function openClip(source: Source, name: string, signal?: AbortSignal): Promise<Clip> {
  const input = new Input({ formats: ALL_FORMATS, source });
  try {
    return await inspect(input, name, signal);
  } catch (error) {
    input.dispose();
    if (error instanceof LongtakeError) throw error;
    throw new LongtakeError('input', `“${name}” is damaged or incomplete and can not be read as a video.`, {
      cause: error,
    });
  }
}

async function inspect(input: Input, name: string, signal?: AbortSignal): Promise<Clip> {
  throwIfCancelled(signal);
  const track = await videoTrack(input, name);
  const header = { width: await track.getCodedWidth(), height: await track.getCodedHeight() };
  for (const { width, height } of [header, await shownSize(track, header)])
    checkPictureSize(width, height, `The picture in “${name}”`);
  const codec = await track.getCodec();
  if (codec === null || !(await track.canDecode())) {
    const called = codecTitle(codec ?? String(await track.getInternalCodecId()));
    throw new LongtakeError(
      'input',
      `“${name}” is ${called} video, which can not be decoded here; convert it to H.264 (MP4) or VP9 (WebM) first.`,
    );
  }

  const { stamps, keys, lastDuration } = await timeStamps(track, name, signal);
  const stored = (await input.getFormat()) === MPEG_TS ? await decodedSize(track, header) : header;
  const size = await shownSize(track, stored);
  checkPictureSize(size.width, size.height, `The picture in “${name}”`);
  const lattice = findLattice(stamps, lastDuration, await track.getTimeResolution());
  const facts: ClipFacts = {
    size,
    rate: lattice.rate,
    frameCount: lattice.frameCount,
    codec,
    colour: completeTags(await track.getColorSpace(), stored.height),
    notices: [],
  };
  if (lattice.conformed) {
    facts.notices.push(
      `“${name}” has a variable frame rate; it was conformed to ${rateForPeople(lattice.rate)}, each frame showing what was on screen at its centre.`,
    );
  }
  if (await track.canBeTransparent()) {
    facts.notices.push(`“${name}” may have transparent parts; they are opaque in the result.`);
  }
  const keyFrames = keys.map((time) => Math.round((time - lattice.start) * rateToNumber(lattice.rate)));
  const clip = new Clip(facts, input, track, lattice, name, keyFrames);
  await probe(clip, track, name, signal);
  return clip;
}

/** Pixels whose sides differ by less are taken as square: encoders that scale round to such shapes without meaning them. */
const SQUARE_TOLERANCE = 0.03;

/** Size as shown of a picture stored with the given one: upright, with square pixels. */
async function shownSize(
  track: InputVideoTrack,
  stored: { width: number; height: number },
): Promise<{ width: number; height: number }> {
  const { num, den } = await track.getPixelAspectRatio();
  let { width, height } = stored;
  if (Math.abs(num / den - 1) >= SQUARE_TOLERANCE) {
    if (num > den) width = Math.round((width * num) / den);
    else height = Math.round((height * den) / num);
  }
  const onItsSide = (await track.getRotation()) % 180 !== 0;
  return onItsSide ? { width: height, height: width } : { width, height };
}

/** More than the rows that an encoder adds to fill its last macroblocks. */
const BLOCK = 16;

/**
 * Size of the pictures that are stored. Transport streams have it in the bit stream alone, and the library takes interlaced
 * H.264 (camcorders, broadcasters) to be half as high as it is: where header and picture differ, the picture is right.
 */
async function decodedSize(
  track: InputVideoTrack,
  header: { width: number; height: number },
): Promise<{ width: number; height: number }> {
  for await (const sample of new VideoSampleSink(track).samples()) {
    const { width, height } = sample.visibleRect;
    sample.close();
    const differs = Math.max(Math.abs(width - header.width), Math.abs(height - header.height)) >= BLOCK;
    return differs ? { width, height } : header;
  }
  return header;
}

async function videoTrack(input: Input, name: string): Promise<InputVideoTrack> {
  try {
    await input.getFormat();
  } catch (cause) {
    const message = `“${name}” is no video file that Longtake can read (MP4, MOV, WebM, MKV, MPEG-TS).`;
    throw new LongtakeError('input', message, { cause });
  }
  const track = await input.getPrimaryVideoTrack();
  if (track !== null) return track;
  const hasSound = (await input.getPrimaryAudioTrack()) !== null;
  throw new LongtakeError(
    'input',
    hasSound
      ? `“${name}” has sound but no picture; Longtake needs a video.`
      : `“${name}” has no video that Longtake can read: it is damaged or incomplete, or of a kind that is not taken (H.264, HEVC, VP8, VP9 and AV1 are).`,
  );
}

/** All presentation times and those of the key frames, ascending. Reads the index only, no picture data. */
async function timeStamps(
  track: InputVideoTrack,
  name: string,
  signal?: AbortSignal,
): Promise<{ stamps: Float64Array; keys: number[]; lastDuration: number }> {
  const stamps: number[] = [];
  const keys: number[] = [];
  let last = { timestamp: -Infinity, duration: 0 };
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, {
    metadataOnly: true,
  })) {
    throwIfCancelled(signal);
    stamps.push(packet.timestamp);
    if (packet.type === 'key') keys.push(packet.timestamp);
    if (packet.timestamp > last.timestamp) last = packet;
    if (stamps.length > MAX_FRAMES) {
      throw new LongtakeError(
        'input',
        `“${name}” is longer than Longtake takes (two hours at 60 fps); cut it first.`,
      );
    }
  }
  if (stamps.length === 0) {
    throw new LongtakeError(
      'input',
      `“${name}” is damaged or incomplete: its video track has no frame that is whole.`,
    );
  }
  return { stamps: Float64Array.from(stamps).sort(), keys, lastDuration: last.duration };
}

/** Decodes the first frame and fetches the last packet, so that a truncated file is refused before any work starts. */
async function probe(clip: Clip, track: InputVideoTrack, name: string, signal?: AbortSignal): Promise<void> {
  const sink = new EncodedPacketSink(track);
  const last = await sink.getPacket(Infinity);
  if (last === null || last.data.byteLength === 0) {
    throw new LongtakeError('input', `“${name}” is incomplete: its end is missing.`);
  }
  for await (const picture of clip.pictures(0, 1, signal)) {
    void picture;
  }
}

function codecTitle(codec: string): string {
  const titles: Record<string, string> = {
    hevc: 'HEVC (H.265)',
    av1: 'AV1',
    prores: 'ProRes',
    avc: 'H.264',
    vp8: 'VP8',
    vp9: 'VP9',
    AVdh: 'DNxHD/DNxHR',
    jpeg: 'Motion JPEG',
    mp4v: 'MPEG-4 Part 2',
    m2v1: 'MPEG-2',
    V_MPEG2: 'MPEG-2',
  };
  return titles[codec] ?? `“${codec.trim()}”`;
}
