import { basename } from 'node:path';
import { checkTask } from '../engine/tasks/check-request.ts';
import type { RegionMask } from '../engine/tasks/region-request.ts';
import { LongtakeError } from '../engine/types.ts';
import { contactSheet } from '../media/contact-sheet.ts';
import { runInpainting, type InpaintingPlan, type InpaintingResult } from '../media/inpainting.ts';
import { masksOf } from '../media/mask-clip.ts';
import { openClipFile } from '../media/node/clip-file.ts';
import { writeWhole } from '../media/node/pending-file.ts';
import { encodePng } from '../media/node/png.ts';
import type { Clip } from '../media/open-clip.ts';
import { evenSize } from '../media/picture.ts';
import { rateToText } from '../media/rational.ts';
import { readCameraFile } from '../media/node/camera-file.ts';
import type { CliEngine, ReadyModel } from './cli-engine.ts';
import type { Console } from './console.ts';
import { PHASES } from './extend-command.ts';
import {
  checkSpan,
  keyframesOf,
  parseFrames,
  parseGap,
  parseRectangle,
  type FrameSpan,
  type TypedRectangle,
} from './inpaint-part.ts';
import { MODEL_OPTIONS, modelSettings, parseCommand, type ModelSettings } from './options.ts';
import { checkOutputs, formatOf, openOutputs } from './outputs.ts';
import { ProgressLine } from './progress.ts';
import { seamSentence } from './seam-sentence.ts';

/** What is to be made anew, as it was typed. */
interface Wish {
  gap: FrameSpan | null;
  rectangles: TypedRectangle[];
  mask: string | null;
  frames: FrameSpan | null;
}

/** `longtake inpaint IN …`: docs/cli.md. */
export async function inpaintCommand(args: string[], engine: CliEngine, console: Console): Promise<void> {
  const { values, positionals } = parseCommand(args, {
    ...MODEL_OPTIONS,
    out: { type: 'string' },
    camera: { type: 'string' },
    sheet: { type: 'string' },
    gap: { type: 'string' },
    region: { type: 'string', multiple: true },
    mask: { type: 'string' },
    frames: { type: 'string' },
  });
  const input = positionals[0];
  if (input === undefined || positionals.length > 1) throw new LongtakeError('usage', 'Name one clip.');
  const settings = modelSettings(values);
  const wish = readWish(values);
  const out = values.out;
  if (out === undefined) throw new LongtakeError('usage', 'Name the file for the result with --out.');
  const format = formatOf(out);
  const sheet = values.sheet ?? null;
  if (sheet !== null && !/\.png$/i.test(sheet)) {
    throw new LongtakeError('usage', `The contact sheet “${sheet}” must be named .png.`);
  }
  const inputs = [input, values.camera, wish.mask].filter((path) => typeof path === 'string');
  await checkOutputs(inputs, [out, ...(sheet === null ? [] : [sheet])]);

  const camera = values.camera === undefined ? null : await readCameraFile(values.camera);
  const { signal } = console;
  const progress = new ProgressLine(console, settings.json);
  const open: Clip[] = [];
  let ready: ReadyModel | null = null;
  try {
    const clip = await openClipFile(input, signal);
    open.push(clip);
    const mask = wish.mask === null ? null : await openClipFile(wish.mask, signal);
    if (mask !== null) open.push(mask);
    const part = { clip, ...spanOf(wish, clip.facts.frameCount) };
    const plan: InpaintingPlan = {
      part,
      mask: maskOf(wish, part, mask, signal),
      request: {
        profile: settings.profile,
        seed: settings.seed,
        ...(settings.steps === null ? {} : { steps: settings.steps }),
        ...(camera === null ? {} : { camera }),
      },
    };
    checkTask((await engine.find(settings.model)).model, plan.mask === null ? 'gap' : 'region');
    ready = await engine.load(settings.model, {
      backend: settings.backend,
      signal,
      onProgress: (done, total) =>
        progress.update('Loading the model', Math.round(done / 1024), Math.round(total / 1024)),
    });
    const files = await openOutputs([{ path: out, content: 'extended', format }]);
    let result: InpaintingResult;
    try {
      result = await runInpainting(ready, plan, files.outputs[0]!, {
        signal,
        onProgress: ({ phase, done, total, secondsLeft }) =>
          progress.update(PHASES[phase], done, total, secondsLeft),
      });
      if (sheet !== null) {
        const note = `${result.report.frames} frames made anew by ${ready.model.name}`;
        await writeWhole(
          sheet,
          encodePng(contactSheet([{ title: basename(input), note, tiles: result.tiles }])),
        );
      }
      await files.commit();
    } finally {
      await files.discard();
    }
    progress.clear();
    const summary = summarise(plan, result, settings, { out, sheet });
    console.print(settings.json ? `${JSON.stringify(summary)}\n` : describe(summary));
  } finally {
    progress.clear();
    ready?.dispose();
    for (const clip of open) clip.dispose();
  }
}

function readWish(values: {
  gap?: string | undefined;
  region?: string[] | undefined;
  mask?: string | undefined;
  frames?: string | undefined;
}): Wish {
  const { gap, region, mask, frames } = values;
  if ([gap, region, mask].filter((value) => value !== undefined).length !== 1) {
    throw new LongtakeError('usage', 'Say what to make anew with one of --gap, --region and --mask.');
  }
  if (gap !== undefined && frames !== undefined) {
    throw new LongtakeError('usage', '--frames goes with --region and --mask; a gap names its own frames.');
  }
  return {
    gap: gap === undefined ? null : parseGap(gap),
    rectangles: (region ?? []).map(parseRectangle),
    mask: mask ?? null,
    frames: frames === undefined ? null : parseFrames(frames),
  };
}

function spanOf({ gap, frames }: Wish, frameCount: number): FrameSpan {
  const span = gap ?? frames ?? { start: 0, count: frameCount };
  checkSpan(span, frameCount);
  if (gap !== null && (gap.start === 0 || gap.start + gap.count === frameCount)) {
    throw new LongtakeError(
      'usage',
      'A gap needs frames on both sides; at a clip’s end use “longtake extend”.',
    );
  }
  return span;
}

function maskOf(
  { gap, mask: name, rectangles }: Wish,
  part: InpaintingPlan['part'],
  mask: Clip | null,
  signal: AbortSignal,
): RegionMask | null {
  if (gap !== null) return null;
  if (mask !== null) return { kind: 'pictures', pictures: masksOf(mask, basename(name!), part, signal) };
  return { kind: 'rectangles', keyframes: keyframesOf(rectangles, part, part.clip.facts.size) };
}

/** The object that `--json` prints. */
export type InpaintSummary = ReturnType<typeof summarise>;

function summarise(
  { part, mask }: InpaintingPlan,
  result: InpaintingResult,
  settings: ModelSettings,
  { out, sheet }: { out: string; sheet: string | null },
) {
  const { size, rate } = part.clip.facts;
  const { msPerFrame, ...report } = result.report;
  return {
    task: mask === null ? ('gap' as const) : ('region' as const),
    ...report,
    start: part.start,
    size: evenSize(size),
    rate: rateToText(rate),
    seed: settings.seed,
    profile: settings.profile,
    msPerFrame,
    files: [
      { path: out, content: 'inpainted', frames: result.frameCount },
      ...(sheet === null ? [] : [{ path: sheet, content: 'sheet' }]),
    ],
    notices: result.notices,
  };
}

function describe(summary: InpaintSummary): string {
  const { frames, start, size, rate, model, backend, msPerFrame } = summary;
  const lines = [
    `Frames ${start} to ${start + frames - 1} made anew (${size.width}×${size.height}, ${rate} fps) by ${model} on ${backend}, ${msPerFrame.toFixed(0)} ms a frame.`,
  ];
  if ('seamAfter' in summary) {
    lines.push(seamSentence('the first cut', summary.seam, 'before'));
    lines.push(seamSentence('the second cut', summary.seamAfter, 'after'));
  } else if ('maskedShare' in summary) {
    const { repaintedFrames, maskedShare } = summary;
    lines.push(
      `${repaintedFrames} frames repainted, ${(100 * maskedShare).toFixed(1)} % of all their pixels.`,
    );
  }
  lines.push(...summary.notices, ...summary.files.map(({ path, content }) => `Wrote ${path} (${content}).`));
  return `${lines.join('\n')}\n`;
}
