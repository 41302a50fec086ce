import { availableParallelism } from 'node:os';
import { CustomVideoEncoder, EncodedPacket, type VideoCodec, type VideoSample } from 'mediabunny';
import * as av from 'node-av';

/**
 * H.264 (x264) and VP9 (libvpx) in Node. `@mediabunny/server` has encoders of its own, but they neither write colour tags
 * nor take a fractional frame rate, and the tags decide whether a player shows both sides of a cut alike.
 */
export class ColourTaggedEncoder extends CustomVideoEncoder {
  private context: av.CodecContext | null = null;
  private frame!: av.Frame;
  private packet!: av.Packet;
  /**
   * The pixels of the frame in hand. FFmpeg reads this very memory, on a thread of its own, and does not keep it: it is a
   * field, so that it lives until the encoder has the frame. A buffer nobody holds any more is given to others by then, now
   * and then, and parts of other pictures were in the file.
   */
  private pixels = Buffer.alloc(0);
  /** Exact times of frames that are in the encoder, by their time in microseconds. */
  private readonly times = new Map<bigint, { timestamp: number; duration: number }>();
  private described = false;
  private tags: VideoColorSpaceInit = {};

  static override supports(codec: VideoCodec, config: VideoEncoderConfig): boolean {
    return (
      (codec === 'avc' || codec === 'vp9') && config.bitrateMode === 'quantizer' && config.alpha !== 'keep'
    );
  }

  init(): void {
    this.frame = new av.Frame();
    this.frame.alloc();
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  async encode(sample: VideoSample, options: VideoEncoderEncodeOptions): Promise<void> {
    if (sample.format !== 'I420')
      throw new Error(`Frames to encode must be I420, not ${String(sample.format)}.`);
    const quantiser = (this.codec === 'avc' ? options.avc : options.vp9)?.quantizer;
    this.context ??= await this.open(sample, quantiser ?? 16);
    await this.fill(sample);
    this.frame.pictType = options.keyFrame === true ? av.AV_PICTURE_TYPE_I : av.AV_PICTURE_TYPE_NONE;
    this.times.set(BigInt(sample.microsecondTimestamp), {
      timestamp: sample.timestamp,
      duration: sample.duration,
    });
    await this.send(this.frame);
  }

  private async fill(sample: VideoSample): Promise<void> {
    const { frame } = this;
    const size = sample.allocationSize();
    if (this.pixels.byteLength !== size) this.pixels = Buffer.alloc(size);
    await sample.copyTo(this.pixels);
    frame.unref();
    frame.format = av.AV_PIX_FMT_YUV420P;
    frame.width = sample.codedWidth;
    frame.height = sample.codedHeight;
    av.FFmpegError.throwIfError(frame.fromBuffer(this.pixels), 'fill frame');
    frame.pts = BigInt(sample.microsecondTimestamp);
    frame.duration = BigInt(sample.microsecondDuration);
    frame.timeBase = new av.Rational(1, 1e6);
  }

  async flush(): Promise<void> {
    if (this.context === null) return;
    await this.send(null);
    this.context.freeContext();
    this.context = null;
  }

  close(): void {
    this.context?.freeContext();
    this.frame.free();
    this.packet.free();
  }

  private async open(sample: VideoSample, quantiser: number): Promise<av.CodecContext> {
    const codec = av.Codec.findEncoderByName(
      this.codec === 'avc' ? av.FF_ENCODER_LIBX264 : av.FF_ENCODER_LIBVPX_VP9,
    );
    if (codec === null) throw new Error(`This build of FFmpeg has no ${this.codec} encoder.`);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    context.width = sample.codedWidth;
    context.height = sample.codedHeight;
    context.pixelFormat = av.AV_PIX_FMT_YUV420P;
    context.timeBase = new av.Rational(1, 1e6);
    const rate = Math.round((this.config.framerate ?? 24) * 1001);
    context.framerate = new av.Rational(rate, 1001);
    context.gopSize = Math.max(1, Math.round(rate / 1001));
    context.bitRate = 0n;
    context.threadCount = Math.min(8, availableParallelism());
    const tags = sample.colorSpace;
    this.tags = tags.toJSON();
    context.colorPrimaries = PRIMARIES[tags.primaries ?? ''] ?? av.AVCOL_PRI_UNSPECIFIED;
    context.colorTrc = TRANSFERS[tags.transfer ?? ''] ?? av.AVCOL_TRC_UNSPECIFIED;
    context.colorSpace = MATRICES[tags.matrix ?? ''] ?? av.AVCOL_SPC_UNSPECIFIED;
    context.colorRange = tags.fullRange === true ? av.AVCOL_RANGE_JPEG : av.AVCOL_RANGE_MPEG;
    if (this.codec === 'avc') {
      context.setOption('crf', String(sameAtAnyRate(quantiser, rate / 1001)));
      context.setOption('preset', 'veryfast');
      // Macroblock trees make two encodings of the same frames differ now and then (measured).
      context.setOption('mbtree', '0');
    } else {
      context.setOption('crf', String(quantiser));
      context.setOption('deadline', 'good');
      context.setOption('cpu-used', '5');
      context.setOption('row-mt', '1');
    }
    av.FFmpegError.throwIfError(await context.open2(), 'open encoder');
    return context;
  }

  private async send(frame: av.Frame | null): Promise<void> {
    const { context } = this;
    if (context === null) return;
    av.FFmpegError.throwIfError(await context.sendFrame(frame), 'send frame');
    for (;;) {
      const result = await context.receivePacket(this.packet);
      if (result === av.AVERROR_EAGAIN || result === av.AVERROR_EOF) return;
      av.FFmpegError.throwIfError(result, 'receive packet');
      this.deliver(context);
    }
  }

  private deliver(context: av.CodecContext): void {
    const { data, pts, isKeyframe } = this.packet;
    if (data === null) return;
    const time = this.times.get(pts);
    if (time === undefined) throw new Error('The encoder returned a frame that it was not given.');
    this.times.delete(pts);
    // Annex B without a description: the muxer makes the file's own form of it.
    const packet = new EncodedPacket(
      new Uint8Array(data),
      isKeyframe ? 'key' : 'delta',
      time.timestamp,
      time.duration,
    );
    this.onPacket(packet, this.described ? undefined : { decoderConfig: this.describe(context) });
    this.described = true;
  }

  private describe(context: av.CodecContext): VideoDecoderConfig {
    return {
      codec: this.config.codec,
      codedWidth: context.width,
      codedHeight: context.height,
      colorSpace: this.tags,
    };
  }
}

/**
 * x264 thinks frames that are shown briefly are looked at less closely: from 25 frames a second on it makes each coarser, up
 * to 100 (5 steps, 5 dB). An editor looks at every frame, and slow motion begins as such a clip.
 */
function sameAtAnyRate(quantiser: number, rate: number): number {
  return quantiser - Math.max(0, 2.4 * Math.log2(Math.min(rate, 100) / 25));
}

const PRIMARIES: Record<string, av.AVColorPrimaries> = {
  bt709: av.AVCOL_PRI_BT709,
  bt470bg: av.AVCOL_PRI_BT470BG,
  smpte170m: av.AVCOL_PRI_SMPTE170M,
  bt2020: av.AVCOL_PRI_BT2020,
  smpte432: av.AVCOL_PRI_SMPTE432,
};

const TRANSFERS: Record<string, av.AVColorTransferCharacteristic> = {
  bt709: av.AVCOL_TRC_BT709,
  smpte170m: av.AVCOL_TRC_SMPTE170M,
  'iec61966-2-1': av.AVCOL_TRC_IEC61966_2_1,
  linear: av.AVCOL_TRC_LINEAR,
  pq: av.AVCOL_TRC_SMPTE2084,
  hlg: av.AVCOL_TRC_ARIB_STD_B67,
};

const MATRICES: Record<string, av.AVColorSpace> = {
  bt709: av.AVCOL_SPC_BT709,
  bt470bg: av.AVCOL_SPC_BT470BG,
  smpte170m: av.AVCOL_SPC_SMPTE170M,
  'bt2020-ncl': av.AVCOL_SPC_BT2020_NCL,
};
