import { availableParallelism } from 'node:os';
import { CustomVideoDecoder, VideoSample, type EncodedPacket, type VideoCodec } from 'mediabunny';
import { AvFrameVideoSampleResource } from '@mediabunny/server';
import * as av from 'node-av';

const CODECS: Partial<Record<VideoCodec, av.AVCodecID>> = {
  avc: av.AV_CODEC_ID_H264,
  hevc: av.AV_CODEC_ID_HEVC,
  vp8: av.AV_CODEC_ID_VP8,
  vp9: av.AV_CODEC_ID_VP9,
  av1: av.AV_CODEC_ID_AV1,
};

/**
 * Software decoding in Node. The decoder of `@mediabunny/server` throws on damaged data, which leaves a promise in mediabunny
 * that nobody awaits and ends the process; this one reports the fault to the reader and is still.
 */
export class CarefulDecoder extends CustomVideoDecoder {
  private context: av.CodecContext | null = null;
  private frame!: av.Frame;
  private packet!: av.Packet;
  private failed = false;
  /** Exact times of packets that are in the decoder, by their time in microseconds. */
  private readonly times = new Map<bigint, { timestamp: number; duration: number }>();

  static override supports(codec: VideoCodec): boolean {
    return CODECS[codec] !== undefined;
  }

  init(): void {
    this.frame = new av.Frame();
    this.frame.alloc();
    this.packet = new av.Packet();
    this.packet.alloc();
  }

  async decode(packet: EncodedPacket): Promise<void> {
    await this.guarded(async () => {
      this.context ??= await this.open();
      const pts = BigInt(packet.microsecondTimestamp);
      this.times.set(pts, { timestamp: packet.timestamp, duration: packet.duration });
      this.packet.isKeyframe = packet.type === 'key';
      this.packet.data = Buffer.from(packet.data);
      this.packet.timeBase = { num: 1, den: 1_000_000 };
      this.packet.pts = pts;
      this.packet.dts = av.AV_NOPTS_VALUE;
      this.packet.duration = BigInt(packet.microsecondDuration);
      const result = await this.context.sendPacket(this.packet);
      this.packet.unref();
      av.FFmpegError.throwIfError(result, 'send packet');
      await this.drain(this.context);
    });
  }

  async flush(): Promise<void> {
    await this.guarded(async () => {
      if (this.context === null) return;
      av.FFmpegError.throwIfError(await this.context.sendPacket(null), 'flush');
      await this.drain(this.context);
      this.context.flushBuffers();
      this.times.clear();
    });
  }

  close(): void {
    this.context?.freeContext();
    this.frame.free();
    this.packet.free();
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    if (this.failed) return;
    try {
      await work();
    } catch (error) {
      this.failed = true;
      this.onError(error);
    }
  }

  private async open(): Promise<av.CodecContext> {
    const id = CODECS[this.codec];
    const codec = id === undefined ? null : av.Codec.findDecoder(id);
    if (codec === null) throw new Error(`This build of FFmpeg has no ${this.codec} decoder.`);
    const context = new av.CodecContext();
    context.allocContext3(codec);
    context.width = this.config.codedWidth ?? 0;
    context.height = this.config.codedHeight ?? 0;
    context.threadCount = Math.min(4, availableParallelism());
    context.extraData = this.config.description ? bufferOf(this.config.description) : null;
    // Strict: the decoder then holds back as many frames as the stream's level allows, so that the order is right even where
    // the stream does not say how far it reorders.
    const options = av.Dictionary.fromObject({ strict: av.FF_COMPLIANCE_STRICT });
    av.FFmpegError.throwIfError(await context.open2(codec, options), 'open decoder');
    return context;
  }

  private async drain(context: av.CodecContext): Promise<void> {
    for (;;) {
      const result = await context.receiveFrame(this.frame);
      if (result === av.AVERROR_EAGAIN || result === av.AVERROR_EOF) return;
      av.FFmpegError.throwIfError(result, 'receive frame');
      const time = this.times.get(this.frame.pts) ?? {
        timestamp: Number(this.frame.pts) / 1e6,
        duration: Number(this.frame.duration) / 1e6,
      };
      this.times.delete(this.frame.pts);
      this.frame.sampleAspectRatio = this.pixelAspect();
      const frame = this.frame.clone();
      if (frame === null) throw new Error('No memory for a decoded frame.');
      this.onSample(new VideoSample(new AvFrameVideoSampleResource(frame), time));
    }
  }

  private pixelAspect(): av.Rational {
    const { codedWidth = 0, codedHeight = 0, displayAspectWidth, displayAspectHeight } = this.config;
    const num = (displayAspectWidth ?? codedWidth) * codedHeight;
    const den = (displayAspectHeight ?? codedHeight) * codedWidth;
    return num > 0 && den > 0 ? new av.Rational(num, den) : new av.Rational(1, 1);
  }
}

function bufferOf(data: AllowSharedBufferSource): Buffer {
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
