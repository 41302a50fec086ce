import { throwIfCancelled } from '../engine/cancel.ts';
import type { RolloutSettings } from '../engine/tasks/extend-request.ts';
import type { GapEvent, GapReport, GapRequest } from '../engine/tasks/gap-request.ts';
import type {
  RegionMask,
  RepaintEvent,
  RepaintReport,
  RepaintRequest,
} from '../engine/tasks/region-request.ts';
import { LongtakeError, type RgbaFrame } from '../engine/types.ts';
import { ClipWriter, type ClipWriterOptions } from './clip-writer.ts';
import { thumbnail, type SheetTile } from './contact-sheet.ts';
import type { ClipRange, ExtensionProgress } from './extension.ts';
import { mergePicture } from './merge-picture.ts';
import type { YuvPicture } from './picture.ts';
import { rgbaToPicture } from './rgb.ts';

/** Frames of the clip on each side, and new frames, on a contact sheet. */
const SHEET_SIDE = 3;
const SHEET_NEW = 10;

/** Frames of a clip that are made anew: whole (a gap), or where a mask says so. */
export interface InpaintingPlan {
  part: ClipRange;
  /** Null: the whole frames. */
  mask: RegionMask | null;
  request: Omit<RolloutSettings, 'frameCount' | 'size' | 'rate' | 'signal'>;
}

/** The engine's tasks, bound to a loaded model. */
export interface InpaintingTasks {
  fillGap(request: GapRequest): AsyncIterable<GapEvent>;
  repaintRegion(request: RepaintRequest): AsyncIterable<RepaintEvent>;
}

export interface InpaintingResult {
  report: GapReport | RepaintReport;
  /** Frames in the file: as many as in the clip. */
  frameCount: number;
  /** Frames beside the part and a choice of new ones, in time order. */
  tiles: SheetTile[];
  /** Sentences for the user. */
  notices: string[];
}

export interface InpaintingOptions {
  signal: AbortSignal;
  onProgress?: (progress: ExtensionProgress) => void;
}

/**
 * Makes a part of a clip anew and encodes the whole clip. The target is complete when the promise resolves; after an error or
 * a cancel it must be thrown away.
 * @throws LongtakeError of any code
 */
export async function runInpainting(
  tasks: InpaintingTasks,
  plan: InpaintingPlan,
  output: Pick<ClipWriterOptions, 'format' | 'target'>,
  options: InpaintingOptions,
): Promise<InpaintingResult> {
  const { size, rate, colour } = plan.part.clip.facts;
  const writer = new ClipWriter({ ...output, size, rate, colour });
  try {
    return await new InpaintingRun(tasks, plan, writer, options).execute();
  } catch (error) {
    await writer.cancel().catch(() => undefined);
    // Libraries in between wrap or replace the reason; a fired signal is what the user knows.
    throwIfCancelled(options.signal);
    throw error;
  }
}

class InpaintingRun {
  private readonly tiles: SheetTile[] = [];
  private copied = 0;

  constructor(
    private readonly tasks: InpaintingTasks,
    private readonly plan: InpaintingPlan,
    private readonly writer: ClipWriter,
    private readonly options: InpaintingOptions,
  ) {}

  async execute(): Promise<InpaintingResult> {
    const { clip, start, count } = this.plan.part;
    const end = start + count;
    const notices = [...clip.facts.notices];
    const whole = { clip, start: 0, count: clip.facts.frameCount };
    const silent = (await clip.sound()) === null;
    if (!silent && !(await this.writer.copySound(whole, 0))) {
      notices.push('The clip’s sound does not go into this kind of file and was left out.');
    }
    await this.copy(0, start);
    const report = await this.generate();
    await this.copy(end, clip.facts.frameCount - end);
    throwIfCancelled(this.options.signal);
    this.options.onProgress?.({ phase: 'writing', done: 0, total: 1 });
    await this.writer.finish();
    throwIfCancelled(this.options.signal);
    return { report, frameCount: this.writer.frameCount, tiles: this.tiles, notices };
  }

  /** Writes frames of the clip as they are, without a detour through RGB. */
  private async copy(from: number, count: number): Promise<void> {
    const { clip, start, count: made } = this.plan.part;
    const total = clip.facts.frameCount - made;
    if (count === 0) return;
    let index = from;
    for await (const picture of clip.pictures(from, count, this.options.signal)) {
      await this.writer.addPicture(picture);
      const away = index < start ? index - start : index - start - made + 1;
      if (Math.abs(away) <= SHEET_SIDE) await this.addTile(index, 'prefix', `CLIP ${signed(away)}`);
      index++;
      this.options.onProgress?.({ phase: 'copying', done: ++this.copied, total });
    }
  }

  private async generate(): Promise<GapReport | RepaintReport> {
    const { signal, onProgress } = this.options;
    const { clip, start, count } = this.plan.part;
    const originals = this.plan.mask === null ? null : clip.pictures(start, count, signal);
    const given = this.givenFrames();
    const shown = sheetIndices(count);
    let report: GapReport | RepaintReport | null = null;
    try {
      for await (const event of this.events()) {
        throwIfCancelled(signal);
        if (event.kind === 'reading') {
          onProgress?.({
            phase: 'reading',
            done: event.framesRead,
            total: Math.max(given, event.framesRead),
          });
        } else if (event.kind === 'priming') {
          onProgress?.({ phase: 'priming', done: event.chunksDone, total: event.chunks });
        } else if (event.kind === 'done') {
          report = event.report;
        } else {
          const { frame, index, secondsLeft } = event;
          if (shown.includes(index)) this.tiles.push(newTile(frame, index));
          await this.writer.addPicture(await this.picture(frame, originals));
          onProgress?.({ phase: 'generating', done: index + 1, total: count, secondsLeft });
        }
      }
    } finally {
      await originals?.return(undefined);
    }
    if (report === null) throw new LongtakeError('internal', 'The rollout ended without a report.');
    return report;
  }

  /** Frames that the model is at most given, for progress. */
  private givenFrames(): number {
    const { clip, start, count } = this.plan.part;
    return this.plan.mask === null ? clip.facts.frameCount - count : start;
  }

  private events(): AsyncIterable<GapEvent | RepaintEvent> {
    const { part, mask, request } = this.plan;
    const { clip, start, count } = part;
    const { signal } = this.options;
    const { size, rate, frameCount: all } = clip.facts;
    const settings = { ...request, size, rate, frameCount: count, signal };
    const before = start === 0 ? [] : clip.frames(0, start, signal);
    if (mask !== null) {
      const frames = clip.frames(start, count, signal);
      return this.tasks.repaintRegion({ ...settings, prefix: before, frames, mask });
    }
    const end = start + count;
    const after = end === all ? [] : clip.frames(end, all - end, signal);
    return this.tasks.fillGap({ ...settings, before, after });
  }

  private async picture(frame: RgbaFrame, originals: AsyncGenerator<YuvPicture> | null): Promise<YuvPicture> {
    const { colour } = this.plan.part.clip.facts;
    if (originals === null) return rgbaToPicture(frame, colour);
    const step = await originals.next();
    if (step.done === true) throw new LongtakeError('internal', 'The clip ended before the new frames.');
    return mergePicture(step.value, frame, colour);
  }

  private async addTile(index: number, kind: SheetTile['kind'], label: string): Promise<void> {
    for await (const frame of this.plan.part.clip.frames(index, 1, this.options.signal)) {
      this.tiles.push({ frame: thumbnail(frame), kind, label });
    }
  }
}

function newTile(frame: RgbaFrame, index: number): SheetTile {
  return { frame: thumbnail(frame), kind: 'new', label: `NEW ${index + 1}` };
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : `${value}`;
}

/** Which new frames go on a sheet: the first, the last and evenly between. */
function sheetIndices(count: number): number[] {
  if (count <= SHEET_NEW) return Array.from({ length: count }, (_, index) => index);
  return Array.from({ length: SHEET_NEW }, (_, index) => Math.round((index * (count - 1)) / (SHEET_NEW - 1)));
}
