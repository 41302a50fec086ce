import type { ExtendEvent, ExtendReport } from '../../engine/tasks/extend-request.ts';
import type { RepaintRequest } from '../../engine/tasks/region-request.ts';
import { frameStep, seamFigures, type FrameStep } from '../../engine/seam.ts';
import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import type { HostAdapter, PrefixSource, RegionToRepaint } from '../hosts/host-adapter.ts';
import type { PanelEngine } from '../services.ts';

/** Steps of the clip that a cut is judged against, as everywhere. */
const STEPS = 8;

type Settings = Omit<RepaintRequest, 'prefix' | 'frames' | 'mask' | 'signal'> & { signal: AbortSignal };
type Sources = { engine: PanelEngine; host: HostAdapter };

/**
 * Repaints a part of the picture and judges the cuts into and out of the frames, where the clip goes on there. They are
 * judged in the box around the mask: elsewhere nothing changes, and over the whole picture a small patch would count for nothing.
 * @param before frames before the first one that is still to be made
 * @param beforeCount how many these are
 * @param made frames of the region that are there already
 */
export async function* repaintRegion(
  { engine, host }: Sources,
  prefix: PrefixSource,
  settings: Settings,
  before: AsyncIterable<RgbaFrame>,
  beforeCount: number,
  made: number,
): AsyncGenerator<ExtendEvent> {
  const { region } = prefix;
  if (!region) throw new LongtakeError('internal', 'There is no region to repaint.');
  const { signal, frameCount } = settings;
  const part = (startFrame: number, count: number): AsyncIterable<RgbaFrame> =>
    host.openFrames({ ...prefix, range: { startFrame, frameCount: count } }, signal);
  const start = region.range.startFrame + made;
  const box = boxAround(region.mask);
  const entry = new CutSide(box);
  let first: RgbaFrame | null = null;
  let last: RgbaFrame | null = null;
  const request: RepaintRequest = {
    ...settings,
    prefix: beforeCount === 0 ? [] : entry.watch(before, beforeCount),
    frames: part(start, frameCount),
    mask: { kind: 'pictures', pictures: Array.from({ length: frameCount }, () => region.mask) },
  };
  for await (const event of engine.repaint(request)) {
    if (event.kind === 'frame') {
      last = cropped(event.frame, box);
      first ??= last;
    }
    if (event.kind !== 'done') {
      yield event;
      continue;
    }
    const exit = new CutSide(box);
    const after = Math.min(region.framesAfter, STEPS + 1);
    if (after > 0) await exit.look(part(start + frameCount, after));
    const { model, backend, frames, prefixFrames, msPerFrame } = event.report;
    const report: ExtendReport = { model, backend, frames, prefixFrames, msPerFrame, seam: null };
    if (first && entry.last) report.seam = seamFigures(entry.steps, entry.last, first);
    if (last && exit.first) report.seamAfter = seamFigures(exit.steps, exit.first, last);
    yield { kind: 'done', report };
  }
}

/** What is needed of the clip on one side of a cut. */
class CutSide {
  readonly steps: FrameStep[] = [];
  first: RgbaFrame | null = null;
  last: RgbaFrame | null = null;

  constructor(private readonly box: Box) {}

  /** Passes frames on and looks at the last of them. @param count how many come */
  async *watch(frames: AsyncIterable<RgbaFrame>, count: number): AsyncGenerator<RgbaFrame> {
    let index = 0;
    for await (const frame of frames) {
      if (index++ >= count - STEPS - 1) this.take(frame);
      yield frame;
    }
  }

  /** Looks at frames that nobody else needs. */
  async look(frames: AsyncIterable<RgbaFrame>): Promise<void> {
    for await (const frame of frames) this.take(frame);
  }

  private take(frame: RgbaFrame): void {
    // A copy: the engine hands the frame's memory to its worker.
    const copy = cropped(frame, this.box);
    if (this.last) this.steps.push(frameStep(this.last, copy));
    this.first ??= copy;
    this.last = copy;
  }
}

/** A part of a picture in pixels; right and bottom exclusive. */
interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** The smallest box around what a mask covers; all of the picture where it covers nothing. */
function boxAround({ width, height, data }: RegionToRepaint['mask']): Box {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    const left = row.findIndex((value) => value > 0);
    if (left < 0) continue;
    box.left = Math.min(box.left, left);
    box.right = Math.max(box.right, row.findLastIndex((value) => value > 0) + 1);
    box.top = Math.min(box.top, y);
    box.bottom = y + 1;
  }
  return box.bottom === 0 ? { left: 0, top: 0, right: width, bottom: height } : box;
}

/** A copy of a part of a frame. */
function cropped(frame: RgbaFrame, { left, top, right, bottom }: Box): RgbaFrame {
  const [width, height] = [right - left, bottom - top];
  const data = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 4 * ((top + y) * frame.width + left);
    data.set(frame.data.subarray(from, from + 4 * width), 4 * y * width);
  }
  return { width, height, data };
}
