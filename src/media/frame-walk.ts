import { EncodedPacketSink, VideoSampleSink, type InputVideoTrack, type VideoSample } from 'mediabunny';
import type { FrameLattice } from './frame-times.ts';
import type { YuvPicture } from './picture.ts';
import { rateToNumber } from './rational.ts';

/** A frame that is decoded, to be read or passed over before the next one is asked for. */
export interface WalkedFrame {
  frame: number;
  read(): Promise<YuvPicture>;
}

/**
 * A decoder that goes through a clip forwards, from any frame on. Without an end it decodes a little ahead of what is asked
 * for and waits there: the next frames then cost no way from the last key frame. With an end it decodes nothing past it,
 * which is the fastest way to that one. `close` must be called when it is done with, and ends a wait at once.
 */
export class FrameWalk {
  private samples: AsyncGenerator<VideoSample | null, void> | null = null;
  private closed = false;
  /** The sample of the frame that was delivered last. */
  private shown: VideoSample | null = null;
  /** With times that lie on no lattice, the sample after it: it says how long that one is on screen. */
  private coming: VideoSample | null = null;

  /**
   * @param next first frame to be delivered
   * @param end last one; null for as far as somebody asks
   */
  constructor(
    private readonly track: InputVideoTrack,
    private readonly lattice: FrameLattice,
    private next: number,
    private readonly end: number | null,
    private readonly read: (sample: VideoSample) => Promise<YuvPicture>,
  ) {}

  /** The next frame that can be decoded, or null after the last one and after `close`. */
  async step(): Promise<WalkedFrame | null> {
    if (this.next > (this.end ?? this.lattice.frameCount - 1)) return null;
    const found = this.lattice.conformed && this.end === null ? await this.onScreen() : await this.own();
    if (!found || this.closed) return null;
    const { sample, frame } = found;
    this.next = frame + 1;
    return { frame, read: () => this.read(sample) };
  }

  close(): void {
    this.closed = true;
    this.shown?.close();
    this.coming?.close();
    this.shown = this.coming = null;
    void this.samples?.return();
  }

  /** With a constant rate every frame has a sample of its own. */
  private async own(): Promise<{ sample: VideoSample; frame: number } | null> {
    const { start, rate } = this.lattice;
    for (;;) {
      this.shown?.close();
      this.shown = null;
      const sample = await this.pull();
      if (!sample) return null;
      this.shown = sample;
      const frame = Math.round((sample.timestamp - start) * rateToNumber(rate));
      // Asked for by its time, what is shown there is the one.
      if (this.lattice.conformed) return { sample, frame: this.next };
      if (frame >= this.next) return { sample, frame };
    }
  }

  /** What is on screen at the centre of the next frame. */
  private async onScreen(): Promise<{ sample: VideoSample; frame: number } | null> {
    const centre = this.centre(this.next);
    this.coming ??= await this.pull();
    while (this.coming && this.coming.timestamp <= centre + 1e-9) {
      this.shown?.close();
      this.shown = this.coming;
      this.coming = null;
      this.coming = await this.pull();
    }
    return this.shown && { sample: this.shown, frame: this.next };
  }

  /** The next sample; what comes after `close` is closed. */
  private async pull(): Promise<VideoSample | null> {
    this.samples ??= await this.begin();
    const { value } = await this.samples.next();
    if (!value) return null;
    if (!this.closed) return value;
    value.close();
    return null;
  }

  private async begin(): Promise<AsyncGenerator<VideoSample | null, void>> {
    const sink = new VideoSampleSink(this.track);
    const { next, end } = this;
    const centres = Array.from({ length: end === null ? 1 : end - next + 1 }, (_, i) =>
      this.centre(next + i),
    );
    if (end !== null) return sink.samplesAtTimestamps(centres);
    // The very time of the first sample: asked for a later one, the library would wait for the sample after it.
    const packet = await new EncodedPacketSink(this.track).getPacket(centres[0]!, { metadataOnly: true });
    const samples = sink.samples(packet?.timestamp ?? centres[0]);
    if (this.closed) void samples.return();
    return samples;
  }

  private centre(frame: number): number {
    const { start, rate } = this.lattice;
    return start + ((2 * frame + 1) * rate.den) / (2 * rate.num);
  }
}
