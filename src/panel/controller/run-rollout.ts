import { LongtakeError, type RgbaFrame } from '../../engine/types.ts';
import type { ExtendEvent, ExtendReport, PrimedPrefix } from '../../engine/tasks/extend-request.ts';
import type { GapEvent } from '../../engine/tasks/gap-request.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import { edgeFile, frameFile, posterFile } from '../clips/clip-store.ts';
import { decodeFrame, decodePicture, encodePicture, preview } from '../clips/frame-images.ts';
import type { FrameReel } from '../clips/frame-reel.ts';
import type { HostAdapter, PrefixSource } from '../hosts/host-adapter.ts';
import { repaintRegion } from './region-rollout.ts';
import type { PanelServices } from '../services.ts';
import type { RolloutState } from '../state/panel-state.ts';
import type { PanelStore } from '../state/store.ts';
import { clipCamera } from './clip-camera.ts';
import { withoutSet } from './rollout-set.ts';
import { RolloutTimes } from './rollout-times.ts';

/** Prefix frames kept on show beside the cut: about a second. */
const EDGE_FRAMES = 24;

export interface RolloutContext {
  host: HostAdapter;
  services: PanelServices;
  store: PanelStore;
  reel: FrameReel;
  /** Longest side of the new frames' pictures; left out: the panel's usual one. */
  side?: number;
}

/** How a rollout starts without reading the prefix: from the state after it, kept from the rollout of another clip. */
export interface PrimedStart {
  primed: PrimedPrefix;
  /** The clip whose pictures beside the cut are the same. */
  clipId: string;
}

/** What came of a rollout. */
export interface FinishedRollout {
  record: ClipRecord;
  times: RolloutTimes;
  /** Milliseconds that the new frames took. */
  making: number;
}

/**
 * Makes the frames a record asks for, from `record.framesMade` on, and keeps each as it comes. Frames made earlier are
 * read as part of the prefix, so a rollout that was cut short goes on where it stopped.
 * @param start a start that spares reading the prefix, where to keep the state for the next variation, and who is told that
 *   the prefix needs no more reading
 */
export async function runRollout(
  context: RolloutContext,
  record: ClipRecord,
  prefix: PrefixSource,
  signal: AbortSignal,
  start: { from: PrimedStart | null; keep: (primed: PrimedPrefix) => void; hasRead: () => void },
): Promise<FinishedRollout> {
  const { services, store, reel } = context;
  const change = (to: Partial<Omit<RolloutState, 'clipId'>>) =>
    store.dispatch({ type: 'rollout', clipId: record.id, change: to });
  const info = await services.engine.load(signal, (fraction) => change({ phase: 'loading', fraction }));
  store.dispatch({ type: 'engine', engine: info });
  signal.throwIfAborted();
  const first = record.framesMade;
  const from = start.from && services.engine.holds(start.from.primed) ? start.from : null;
  if (from) await copyEdge(context, from.clipId, record.id);
  if (from || prefix.kind === 'none') start.hasRead();
  let current = record;
  let report: ExtendReport | null = null;
  const times = new RolloutTimes();
  for await (const event of startRollout(
    context,
    record,
    prefix,
    signal,
    from,
    info.model.camera.verticalFov,
  )) {
    signal.throwIfAborted();
    times.note(event);
    if (event.kind === 'reading') {
      change({ phase: 'reading', framesRead: event.framesRead });
    } else if (event.kind === 'priming') {
      const fraction = event.chunks > 0 ? event.chunksDone / event.chunks : null;
      change({ phase: 'priming', fraction });
    } else if (event.kind === 'primed') {
      start.keep(event.primed);
      start.hasRead();
    } else if (event.kind === 'frame') {
      start.hasRead();
      const kept = services.media.keepFrame(event.frame, context.side);
      const picture = await kept.picture;
      reel.add(picture);
      if (first + event.index === 0) {
        await services.clips.write(record.id, posterFile, await encodePicture(picture));
      }
      await services.clips.write(record.id, frameFile(first + event.index), await kept.file);
      current = { ...current, framesMade: first + event.index + 1 };
      store.dispatch({ type: 'reel' });
      change({ phase: 'making', framesMade: current.framesMade, secondsLeft: event.secondsLeft });
    } else if (event.kind === 'done') {
      report = event.report;
    }
  }
  signal.throwIfAborted();
  const making = times.making();
  if (!report || current.framesMade < record.frameCount) {
    throw new LongtakeError(
      'internal',
      'The engine stopped before all frames were made: the frames so far are kept, and you can go on from them.',
    );
  }
  change({ phase: 'saving', secondsLeft: null });
  // The cut of a resumed rollout lies between two generated frames; that says nothing of the clip's own seam.
  const finished: ClipRecord = {
    ...withoutSet(current),
    state: 'finished',
    report: first === 0 ? report : { ...report, frames: record.frameCount, seam: record.keptSeam ?? null },
  };
  await services.clips.saveRecord(finished);
  return { record: finished, times, making };
}

/** Asks the engine for the frames that are still to be made. */
function startRollout(
  context: RolloutContext,
  record: ClipRecord,
  prefix: PrefixSource,
  signal: AbortSignal,
  from: PrimedStart | null,
  verticalFov: number,
): AsyncIterable<ExtendEvent | GapEvent> {
  const { engine } = context.services;
  const first = record.framesMade;
  const frames = prefixFrames(context, record, prefix, signal);
  const camera = clipCamera(record, verticalFov);
  const settings = {
    size: record.size,
    rate: record.rate,
    frameCount: record.frameCount - first,
    profile: record.profile,
    ...(typeof record.fit?.steps === 'number' ? { steps: record.fit.steps } : {}),
    ...(camera ? { camera } : {}),
    seed: record.seed,
    signal,
  };
  if (prefix.gap) {
    const { blob, label, range } = prefix.gap.after;
    const after = context.host.openFrames({ ...prefix, blob, label, range }, signal);
    return engine.fillGap({ ...settings, before: frames, after });
  }
  if (prefix.region) {
    const beforeCount = prefix.range.frameCount + first;
    return repaintRegion({ engine, host: context.host }, prefix, settings, frames, beforeCount, first);
  }
  if (record.purpose === 'loop') {
    // A loop that was cut short is a gap from the last frame made to the clip's beginning.
    return first === 0
      ? engine.makeLoop({ ...settings, prefix: frames })
      : engine.fillGap({ ...settings, before: frames, after: context.host.openFrames(prefix, signal) });
  }
  return engine.extend({
    ...settings,
    prefix: frames,
    prefixLength: prefix.range.frameCount + first,
    // What is left of a time nobody knows once a part was made before.
    ...(record.fit && first === 0 ? { fitSeconds: record.fit.seconds } : {}),
    ...(from ? { primed: from.primed } : { keepPrimed: first === 0 && prefix.kind !== 'none' }),
    direction: record.direction,
  });
}

/** Takes over the pictures beside the cut from a clip with the same prefix. */
async function copyEdge({ services, store, reel }: RolloutContext, from: string, to: string): Promise<void> {
  const pictures: ImageBitmap[] = [];
  for (let index = 0; index < EDGE_FRAMES; index++) {
    const blob = await services.clips.read(from, edgeFile(index));
    if (!blob) break;
    await services.clips.write(to, edgeFile(index), blob);
    pictures.push(await decodePicture(blob));
  }
  reel.setEdge(pictures);
  store.dispatch({ type: 'reel' });
}

/** The frames the engine reads, in the order of time; shows and keeps those beside the cut on the way. */
async function* prefixFrames(
  context: RolloutContext,
  record: ClipRecord,
  prefix: PrefixSource,
  signal: AbortSignal,
): AsyncGenerator<RgbaFrame> {
  const made = record.framesMade;
  if (record.direction === 'backward') {
    for (let index = made - 1; index >= 0; index--) yield await madeFrame(context.services, record.id, index);
  }
  if (prefix.kind !== 'none') yield* watched(context, record, prefix, signal);
  if (record.direction === 'forward') {
    for (let index = 0; index < made; index++) yield await madeFrame(context.services, record.id, index);
  }
}

async function* watched(
  { host, services, store, reel }: RolloutContext,
  record: ClipRecord,
  prefix: PrefixSource,
  signal: AbortSignal,
): AsyncGenerator<RgbaFrame> {
  const edge: ImageBitmap[] = [];
  const show = async () => {
    reel.setEdge(edge);
    store.dispatch({ type: 'reel' });
    for (const [index, picture] of edge.entries()) {
      await services.clips.write(record.id, edgeFile(index), await encodePicture(picture));
    }
  };
  let shown = false;
  const first = record.direction === 'forward' ? prefix.range.frameCount - EDGE_FRAMES : 0;
  let index = 0;
  for await (const frame of host.openFrames(prefix, signal)) {
    signal.throwIfAborted();
    // The picture is taken first: the engine hands the frame's memory to its worker.
    if (index >= first && edge.length < EDGE_FRAMES) edge.push(await preview(frame));
    index++;
    if (record.direction === 'backward' && edge.length === EDGE_FRAMES && !shown) {
      shown = true;
      await show();
    }
    yield frame;
  }
  if (!shown) await show();
}

/** The file of a kept new frame. @throws LongtakeError `input` where it is gone */
export async function madeFrameFile(services: PanelServices, id: string, index: number): Promise<Blob> {
  const blob = await services.clips.read(id, frameFile(index));
  if (blob) return blob;
  throw new LongtakeError(
    'input',
    'Frames of this clip are missing from the browser’s storage: discard it and generate it again.',
  );
}

async function madeFrame(services: PanelServices, id: string, index: number): Promise<RgbaFrame> {
  return decodeFrame(await madeFrameFile(services, id, index));
}
