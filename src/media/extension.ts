import { nextTask } from '../engine/next-task.ts';
import type { Target } from 'mediabunny';
import { throwIfCancelled } from '../engine/cancel.ts';
import type {
  ExtendEvent,
  ExtendReport,
  ExtendRequest,
  PrimedPrefix,
} from '../engine/tasks/extend-request.ts';
import { LongtakeError, type Rational, type RgbaFrame } from '../engine/types.ts';
import { ClipWriter, type ClipFormat } from './clip-writer.ts';
import { REC709, type ColourTags } from './colour.ts';
import { thumbnail, type SheetTile } from './contact-sheet.ts';
import type { Clip } from './open-clip.ts';
import type { YuvPicture } from './picture.ts';
import { rgbaToPictureInSlices } from './rgb.ts';

/** Bytes of pictures that a backward extension may hold: its frames come last first and are turned round in memory. */
const MAX_HELD_BYTES = 1.5 * 2 ** 30;
/** Frames of each side on a contact sheet. */
const SHEET_PREFIX = 4;
const SHEET_NEW = 12;

/** The part of a clip that is extended: `count` frames from `start` on. */
export interface ClipRange {
  clip: Clip;
  start: number;
  count: number;
}

/** One extension: what to make of which frames. */
export interface ExtensionPlan {
  /** Null = cold start; `size` and `rate` are then those of the new shot. */
  prefix: ClipRange | null;
  size: { width: number; height: number };
  rate: Rational;
  request: Omit<ExtendRequest, 'prefix' | 'prefixLength' | 'size' | 'rate' | 'signal' | 'primed'>;
  /** Of an earlier extension of the same prefix with `keepPrimed`: the model does not read the prefix again. */
  start?: ExtensionStart;
}

/** Where variations of one prefix start. */
export interface ExtensionStart {
  primed: PrimedPrefix;
  /** Small pictures of the frames next to the cut, for the sheet. */
  prefixTiles: readonly RgbaFrame[];
}

/** A video file to write. `continuation`: new frames alone; `extended`: prefix and new frames in one file. */
export interface ExtensionOutput {
  content: 'continuation' | 'extended';
  format: ClipFormat;
  target: Target;
}

export interface ExtensionProgress {
  /** `copying`: the prefix goes into the extended file; `priming`: the model reads itself in; `writing`: files are completed. */
  phase: 'copying' | 'reading' | 'priming' | 'generating' | 'writing';
  done: number;
  total: number;
  /** Seconds until the last frame, known while generating. */
  secondsLeft?: number;
}

export interface ExtensionResult {
  report: ExtendReport;
  /** Frames written, in the order of the outputs. */
  frameCounts: number[];
  /** Last prefix frames and a choice of new ones, in time order, for a contact sheet. */
  tiles: SheetTile[];
  /** Sentences for the user. */
  notices: string[];
}

/** The engine's `extendClip`, bound to a loaded model. */
export type ExtendTask = (request: ExtendRequest) => AsyncIterable<ExtendEvent>;

export interface ExtensionOptions {
  signal?: AbortSignal;
  onProgress?: (progress: ExtensionProgress) => void;
  /** Called with each new frame as it is made (last first for `backward`). */
  onFrame?: (frame: RgbaFrame, index: number) => void;
  /** Asks for every chunk that is made, and waits until it is kept: `madeChunks` of a later run of the same request. */
  onChunk?: (latents: Float32Array) => Promise<void>;
  /** Called before the first new frame, where the request says `keepPrimed`. What it hands over outlives a failure. */
  onStart?: (start: ExtensionStart) => void;
}

/**
 * Runs one extension and encodes its outputs. The targets are complete when the promise resolves; after an error or a
 * cancel they must be thrown away.
 * @throws LongtakeError of any code
 */
export async function runExtension(
  extend: ExtendTask,
  plan: ExtensionPlan,
  outputs: readonly ExtensionOutput[],
  options: ExtensionOptions = {},
): Promise<ExtensionResult> {
  const run = new ExtensionRun(plan, outputs, options);
  try {
    return await run.execute(extend);
  } catch (error) {
    await run.abandon();
    // Libraries in between wrap or replace the reason; a fired signal is what the user knows.
    throwIfCancelled(options.signal);
    throw error;
  }
}

class ExtensionRun {
  private readonly writers: { content: ExtensionOutput['content']; writer: ClipWriter }[];
  private readonly colour: ColourTags;
  private readonly backward: boolean;
  private readonly held: YuvPicture[] = [];
  private readonly prefixTiles: RgbaFrame[] = [];
  private readonly newTiles = new Map<number, RgbaFrame>();
  private readonly notices: string[] = [];

  constructor(
    private readonly plan: ExtensionPlan,
    outputs: readonly ExtensionOutput[],
    private readonly options: ExtensionOptions,
  ) {
    const { prefix, size, rate, request } = plan;
    this.colour = prefix?.clip.facts.colour ?? REC709;
    this.backward = request.direction === 'backward';
    if (this.backward && size.width * size.height * 1.5 * request.frameCount > MAX_HELD_BYTES) {
      throw new LongtakeError(
        'usage',
        `${request.frameCount} frames of ${size.width}×${size.height} are too many to extend backward in one go; ask for a shorter piece.`,
      );
    }
    this.writers = outputs.map(({ content, format, target }) => ({
      content,
      writer: new ClipWriter({ format, size, rate, colour: this.colour, target }),
    }));
  }

  async execute(extend: ExtendTask): Promise<ExtensionResult> {
    const { plan, options } = this;
    await this.copySounds();
    if (!this.backward) await this.copyPrefix();
    const report = await this.generate(extend);
    if (this.backward) {
      await this.writeHeld();
      await this.copyPrefix();
    }
    const total = this.writers.length;
    for (const [done, { writer }] of this.writers.entries()) {
      throwIfCancelled(options.signal);
      options.onProgress?.({ phase: 'writing', done, total });
      await writer.finish();
    }
    throwIfCancelled(options.signal);
    return {
      report,
      frameCounts: this.writers.map(({ writer }) => writer.frameCount),
      tiles: this.tiles(plan.request.frameCount),
      notices: [...(plan.prefix?.clip.facts.notices ?? []), ...this.notices],
    };
  }

  async abandon(): Promise<void> {
    await Promise.allSettled(this.writers.map(({ writer }) => writer.cancel()));
  }

  private get extended(): ClipWriter[] {
    return this.writers.filter(({ content }) => content === 'extended').map(({ writer }) => writer);
  }

  private async copySounds(): Promise<void> {
    const { prefix, request } = this.plan;
    if (prefix === null || (await prefix.clip.sound()) === null) return;
    for (const writer of this.extended) {
      const copied = await writer.copySound(prefix, this.backward ? request.frameCount : 0);
      if (!copied) this.notices.push('The clip’s sound does not go into this kind of file and was left out.');
    }
  }

  /** Writes the user's frames into the extended files, without a detour through RGB. */
  private async copyPrefix(): Promise<void> {
    const { prefix } = this.plan;
    const writers = this.extended;
    if (prefix === null || writers.length === 0) return;
    let done = 0;
    for await (const picture of prefix.clip.pictures(prefix.start, prefix.count, this.options.signal)) {
      for (const writer of writers) await writer.addPicture(picture);
      this.options.onProgress?.({ phase: 'copying', done: ++done, total: prefix.count });
    }
  }

  private async generate(extend: ExtendTask): Promise<ExtendReport> {
    const { plan, options } = this;
    const { request, size, rate, prefix, start } = plan;
    const total = request.frameCount;
    if (start !== undefined) this.prefixTiles.push(...start.prefixTiles);
    let report: ExtendReport | null = null;
    const events = extend({
      ...request,
      size,
      rate,
      prefix: this.prefixFrames(),
      prefixLength: prefix?.count ?? 0,
      ...(start === undefined ? {} : { primed: start.primed }),
      ...(options.onChunk === undefined ? {} : { keepChunks: true }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    for await (const event of events) {
      throwIfCancelled(options.signal);
      if (event.kind === 'reading') {
        options.onProgress?.({
          phase: 'reading',
          done: event.framesRead,
          total: prefix?.count ?? event.framesRead,
        });
      } else if (event.kind === 'priming') {
        options.onProgress?.({ phase: 'priming', done: event.chunksDone, total: event.chunks });
      } else if (event.kind === 'primed') {
        options.onStart?.({ primed: event.primed, prefixTiles: [...this.prefixTiles] });
      } else if (event.kind === 'chunk') {
        await options.onChunk?.(event.latents);
      } else if (event.kind === 'frame') {
        await this.takeFrame(event.frame, event.index);
        options.onProgress?.({
          phase: 'generating',
          done: event.index + 1,
          total,
          secondsLeft: event.secondsLeft,
        });
        options.onFrame?.(event.frame, event.index);
      } else if (event.kind === 'done') {
        report = event.report;
      }
    }
    if (report === null) throw new LongtakeError('internal', 'The rollout ended without a report.');
    return report;
  }

  /** The prefix for the model; keeps small pictures of the frames next to the cut. */
  private async *prefixFrames(): AsyncGenerator<RgbaFrame> {
    const { prefix } = this.plan;
    if (prefix === null) return;
    let index = 0;
    for await (const frame of prefix.clip.frames(prefix.start, prefix.count, this.options.signal)) {
      const nearCut = this.backward ? index < SHEET_PREFIX : index >= prefix.count - SHEET_PREFIX;
      if (nearCut) {
        // In a task of its own: in a page clicks wait for as long as a large frame takes.
        await nextTask();
        this.prefixTiles.push(thumbnail(frame));
      }
      index++;
      yield frame;
    }
  }

  private async takeFrame(frame: RgbaFrame, index: number): Promise<void> {
    if (sheetIndices(this.plan.request.frameCount).includes(index))
      this.newTiles.set(index, thumbnail(frame));
    const picture = await rgbaToPictureInSlices(frame, this.colour);
    if (this.backward) this.held.push(picture);
    else for (const { writer } of this.writers) await writer.addPicture(picture);
  }

  private async writeHeld(): Promise<void> {
    for (let picture = this.held.pop(); picture !== undefined; picture = this.held.pop()) {
      throwIfCancelled(this.options.signal);
      for (const { writer } of this.writers) await writer.addPicture(picture);
    }
  }

  private tiles(frameCount: number): SheetTile[] {
    const made = sheetIndices(frameCount)
      .filter((index) => this.newTiles.has(index))
      .map((index): SheetTile => {
        const label = this.backward ? `NEW -${index + 1}` : `NEW +${index + 1}`;
        return { frame: this.newTiles.get(index)!, kind: 'new', label };
      });
    const given = this.prefixTiles.map((frame, i): SheetTile => {
      const label = this.backward ? `CLIP +${i + 1}` : `CLIP -${this.prefixTiles.length - i}`;
      return { frame, kind: 'prefix', label };
    });
    return this.backward ? [...made.reverse(), ...given] : [...given, ...made];
  }
}

/** Which new frames go on a sheet: the first, the last and evenly between. Counted from the cut. */
function sheetIndices(frameCount: number): number[] {
  if (frameCount <= SHEET_NEW) return Array.from({ length: frameCount }, (_, i) => i);
  return Array.from({ length: SHEET_NEW }, (_, i) => Math.round((i * (frameCount - 1)) / (SHEET_NEW - 1)));
}
