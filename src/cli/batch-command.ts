import { basename, join } from 'node:path';
import { contactPage } from '../batch/contact-page.ts';
import { checkNames, checkTemplate, defaultTemplate } from '../batch/names.ts';
import { FolderStore, fingerprintOf } from '../batch/node/folder-store.ts';
import { projectItems, type ProjectItem } from '../batch/node/project-items.ts';
import { previewsOf, titleOf, type BatchOutcome, type Content } from '../batch/preview.ts';
import { batchReport, sheetStrips } from '../batch/report.ts';
import { runBatch, type BatchProgress } from '../batch/run-batch.ts';
import { LongtakeError } from '../engine/types.ts';
import { contactSheet } from '../media/contact-sheet.ts';
import { writeWhole } from '../media/node/pending-file.ts';
import { encodePng } from '../media/node/png.ts';
import type { CliEngine, ReadyModel } from './cli-engine.ts';
import type { Console } from './console.ts';
import { EXIT } from './exit-code.ts';
import {
  generationSettings,
  GENERATION_OPTIONS,
  parseCommand,
  wholeNumber,
  type GenerationSettings,
} from './options.ts';
import { formatSeconds, ProgressLine } from './progress.ts';

/** The most variations of a clip that one batch makes. */
const MAX_VARIATIONS = 99;

/** What is asked of a batch. */
interface BatchRequest {
  project: string;
  folder: string;
  variations: number;
  template: string;
  settings: Omit<GenerationSettings, 'seconds'> & { seconds: number | null };
  content: Content[];
}

/**
 * `longtake batch PROJECT.otio --out DIR …`: docs/batch.md.
 * @returns the exit code: 0 when every clip was made, 3 when some were not
 */
export async function batchCommand(args: string[], engine: CliEngine, console: Console): Promise<number> {
  const request = readRequest(args);
  const { project, folder, variations, template, settings, content } = request;
  const { seconds, profile, direction, seed, steps } = settings;
  const defaults = { seconds, profile, direction, seed, steps };
  const items = await projectItems(project, { ...defaults, camera: null });
  if (items.every((item) => item.settings.seconds === 0)) {
    const words =
      'Say how long the continuations are to be, for instance --seconds 2, here or in the project.';
    throw new LongtakeError('usage', words);
  }
  checkNames(template, previewsOf(items, variations), content);
  const entry = await engine.find(settings.model);
  const media = await Promise.all(items.map((item) => item.media()));
  const store = new FolderStore({
    folder,
    inputs: [project, ...media.filter((path) => path !== null)],
    content,
    template,
    // What a result depends on; the backends agree, so the choice between them is not part of it.
    fingerprint: async ({ item, seed }) =>
      fingerprintOf([seed, entry.model, await (item as ProjectItem).identity()]),
  });
  await store.prepare();

  const progress = new ProgressLine(console, settings.json);
  let ready: ReadyModel | null = null;
  try {
    const outcomes = await runBatch(items, {
      store,
      variations,
      signal: console.signal,
      load: async () => {
        ready = await engine.load(settings.model, {
          backend: settings.backend,
          signal: console.signal,
          onProgress: (done, total) => progress.update('Loading the model', done, total),
        });
        return ready;
      },
      onProgress: (state) => {
        const label = labelOf(state, items.length, variations);
        progress.update(
          label,
          state.done,
          state.total,
          state.secondsLeft,
          wholeOf(state, items.length * variations),
        );
      },
      onOutcome: (outcome) => {
        progress.clear();
        if (!settings.json) console.complain(`${describe(outcome, variations)}\n`);
      },
    }).catch((error: unknown) => {
      throw withAdvice(error);
    });
    const head = { project, variations, settings: { ...defaults, content } };
    const summary = batchReport(head, outcomes, ({ preview }) => (preview.item as ProjectItem).place);
    const sheet = encodePng(contactSheet(sheetStrips(outcomes, variations)));
    await writeWhole(join(folder, 'contact-sheet.png'), sheet);
    await writeWhole(
      join(folder, 'contact-sheet.html'),
      contactPage(basename(project), outcomes, variations),
    );
    await writeWhole(join(folder, 'report.json'), `${JSON.stringify(summary, null, 2)}\n`);
    if (settings.json) console.print(`${JSON.stringify(summary)}\n`);
    else console.print(resultLine(summary, outcomes.length, items.length, request));
    return summary.failed === 0 ? 0 : EXIT.input;
  } finally {
    progress.clear();
    (ready as ReadyModel | null)?.dispose();
  }
}

/** @throws LongtakeError 'usage' */
function readRequest(args: string[]): BatchRequest {
  const { values, positionals } = parseCommand(args, {
    ...GENERATION_OPTIONS,
    out: { type: 'string' },
    variations: { type: 'string' },
    name: { type: 'string' },
  });
  const project = positionals[0];
  if (project === undefined || positionals.length > 1) {
    throw new LongtakeError('usage', 'Name one OpenTimelineIO project (.otio).');
  }
  // Clips may say for themselves how long they are to become.
  const own = values.seconds === undefined;
  const checked = generationSettings(own ? { ...values, seconds: '1' } : values);
  const variations = wholeNumber('--variations', values.variations ?? '1', 1, MAX_VARIATIONS);
  const template = values.name ?? defaultTemplate(variations);
  checkTemplate(template);
  if (values.out === undefined) {
    throw new LongtakeError('usage', 'Name the folder for the results with --out.');
  }
  return {
    project,
    folder: values.out,
    variations,
    template,
    settings: own ? { ...checked, seconds: null } : checked,
    content: checked.content === 'both' ? ['extended', 'continuation'] : [checked.content ?? 'extended'],
  };
}

/** `2/5 Kitchen, variation 2, generating`; `2/5 Kitchen, 8 variations, generating` where they are made together. */
function labelOf({ preview, phase, together }: BatchProgress, clips: number, variations: number): string {
  const { item, variation } = preview;
  const each = variations > 1 ? `, variation ${variation}` : '';
  const which = together > 1 ? `, ${together} variations` : each;
  return `${item.index}/${clips} ${item.name}${which}, ${phase}`;
}

/** ` (all: 31 %, 3 min 20 s left)`. */
function wholeOf({ fraction, batchSecondsLeft }: BatchProgress, previews: number): string {
  if (previews === 1) return '';
  const left = batchSecondsLeft === null ? '' : `, ${formatSeconds(batchSecondsLeft)} left`;
  return ` (all: ${Math.floor(100 * fraction)} %${left})`;
}

function describe(outcome: BatchOutcome, variations: number): string {
  const title = titleOf(outcome, variations);
  if (outcome.status === 'failed') return `${title}: failed. ${outcome.error.message}`;
  const files = outcome.result.files.join(', ');
  return outcome.status === 'kept' ? `${title}: there already (${files}).` : `${title}: done (${files}).`;
}

function resultLine(
  { done, kept }: { done: number; kept: number },
  previews: number,
  clips: number,
  { folder, variations }: BatchRequest,
): string {
  if (variations === 1) return `${done + kept} of ${previews} clips are in ${folder}.\n`;
  return `${done + kept} previews of ${clips} clips are in ${folder}.\n`;
}

/** After a full disk the work so far is not lost; that is worth saying. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof LongtakeError && error.code === 'output')) return error;
  const words = `${error.message} Previews that were finished are kept: make room and run the same command again.`;
  return new LongtakeError('output', words, { cause: error });
}
