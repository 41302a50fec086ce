import { join } from 'node:path';
import { FolderStore, fingerprintOf } from '../batch/node/folder-store.ts';
import { projectItems, type ProjectItem } from '../batch/node/project-items.ts';
import { runBatch, type BatchOutcome } from '../batch/run-batch.ts';
import { LongtakeError } from '../engine/types.ts';
import { contactSheet, type SheetStrip } from '../media/contact-sheet.ts';
import type { ClipRange, ExtensionPlan } from '../media/extension.ts';
import { writeWhole } from '../media/node/pending-file.ts';
import { encodePng } from '../media/node/png.ts';
import { framesIn } from '../media/rational.ts';
import type { CliEngine, ReadyModel } from './cli-engine.ts';
import type { Console } from './console.ts';
import { EXIT } from './exit-code.ts';
import { generationSettings, GENERATION_OPTIONS, parseCommand, type GenerationSettings } from './options.ts';
import { ProgressLine } from './progress.ts';

/**
 * `longtake batch PROJECT.otio --out DIR …`: docs/batch.md.
 * @returns the exit code: 0 when every clip was made, 3 when some were not
 */
export async function batchCommand(args: string[], engine: CliEngine, console: Console): Promise<number> {
  const { values, positionals } = parseCommand(args, { ...GENERATION_OPTIONS, out: { type: 'string' } });
  const project = positionals[0];
  if (project === undefined || positionals.length > 1) {
    throw new LongtakeError('usage', 'Name one OpenTimelineIO project (.otio).');
  }
  const settings = generationSettings(values);
  const folder = values.out;
  if (folder === undefined) throw new LongtakeError('usage', 'Name the folder for the results with --out.');
  const items = await projectItems(project);
  const entry = await engine.find(settings.model);
  // What a result depends on; the backends agree, so the choice between them is not part of it.
  const { seconds, profile, direction, seed, steps, content } = settings;
  const media = await Promise.all(items.map((item) => item.media()));
  const store = new FolderStore({
    folder,
    inputs: [project, ...media.filter((path) => path !== null)],
    format: 'mp4',
    content: settings.content === 'both' ? ['extended', 'continuation'] : [settings.content ?? 'extended'],
    fingerprint: async (item) =>
      fingerprintOf([
        seconds,
        profile,
        direction,
        seed,
        steps,
        content,
        entry.model,
        await (item as ProjectItem).identity(),
      ]),
  });
  await store.prepare();

  const progress = new ProgressLine(console, settings.json);
  let ready: ReadyModel | null = null;
  try {
    const outcomes = await runBatch(items, {
      store,
      signal: console.signal,
      load: async () => {
        ready = await engine.load(settings.model, {
          backend: settings.backend,
          signal: console.signal,
          onProgress: (done, total) => progress.update('Loading the model', done, total),
        });
        return ready.extend;
      },
      plan: (range) => planClip(range, settings),
      onProgress: (item, { done, total, phase, secondsLeft }) => {
        progress.update(`${item.index}/${items.length} ${item.name}, ${phase}`, done, total, secondsLeft);
      },
      onOutcome: (outcome) => {
        progress.clear();
        if (!settings.json) console.complain(`${describe(outcome)}\n`);
      },
    });
    const summary = summarise(project, settings, outcomes);
    await writeWhole(join(folder, 'contact-sheet.png'), encodePng(contactSheet(outcomes.map(strip))));
    await writeWhole(join(folder, 'report.json'), `${JSON.stringify(summary, null, 2)}\n`);
    if (settings.json) console.print(`${JSON.stringify(summary)}\n`);
    else console.print(`${summary.done + summary.kept} of ${outcomes.length} clips are in ${folder}.\n`);
    return summary.failed === 0 ? 0 : EXIT.input;
  } finally {
    progress.clear();
    (ready as ReadyModel | null)?.dispose();
  }
}

function planClip(range: ClipRange, settings: GenerationSettings): ExtensionPlan {
  const { size, rate } = range.clip.facts;
  return {
    prefix: range,
    size,
    rate,
    request: {
      frameCount: framesIn(settings.seconds, rate),
      profile: settings.profile,
      direction: settings.direction,
      seed: settings.seed,
      ...(settings.steps === null ? {} : { steps: settings.steps }),
    },
  };
}

function describe(outcome: BatchOutcome): string {
  const title = `${outcome.item.index}. ${outcome.item.name}`;
  if (outcome.status === 'failed') return `${title}: failed. ${outcome.error.message}`;
  const files = outcome.result.files.join(', ');
  return outcome.status === 'kept' ? `${title}: there already (${files}).` : `${title}: done (${files}).`;
}

function strip(outcome: BatchOutcome): SheetStrip {
  const title = `${outcome.item.index}. ${outcome.item.name}`;
  if (outcome.status === 'failed') return { title, note: outcome.error.message, tiles: [] };
  const { frames, rate, size, tiles } = outcome.result;
  return { title, note: `${frames} new frames, ${size.width}×${size.height}, ${rate} fps`, tiles };
}

/** `report.json`, and what `--json` prints. */
function summarise(project: string, settings: GenerationSettings, outcomes: readonly BatchOutcome[]) {
  const count = (status: BatchOutcome['status']): number =>
    outcomes.filter((outcome) => outcome.status === status).length;
  const { seconds, profile, direction, seed, steps } = settings;
  return {
    project,
    settings: { seconds, profile, direction, seed, steps, content: settings.content ?? 'extended' },
    done: count('done'),
    kept: count('kept'),
    failed: count('failed'),
    clips: outcomes.map((outcome) => {
      const { index, name } = outcome.item;
      const head = { index, name, place: (outcome.item as ProjectItem).place, status: outcome.status };
      if (outcome.status === 'failed') return { ...head, error: outcome.error.message };
      return { ...head, ...outcome.result, tiles: undefined };
    }),
  };
}
