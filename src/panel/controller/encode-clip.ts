import { LongtakeError } from '../../engine/types.ts';
import type { ClipRecord } from '../clips/clip-record.ts';
import { maskFile, resultFile, sourceFile } from '../clips/clip-store.ts';
import type { GeneratedClip } from '../hosts/host-adapter.ts';
import type { EncodeJob, PanelServices } from '../services.ts';
import { madeFrameFile } from './run-rollout.ts';

type Content = GeneratedClip['content'];

/**
 * The finished clip as a file: the new frames, or prefix and new frames as one shot. The file is kept beside the
 * record, so asking again costs nothing.
 * @throws LongtakeError `input` where the prefix file is gone, `output` where the file cannot be written
 */
export async function encodeClip(
  services: PanelServices,
  record: ClipRecord,
  content: Content,
  signal: AbortSignal,
  onProgress: (fraction: number) => void,
): Promise<GeneratedClip> {
  const { clips, media } = services;
  const { direction, frameCount, size, rate, prefix } = record;
  let blob = await clips.read(record.id, resultFile(content));
  if (!blob) {
    const source = await clips.read(record.id, sourceFile);
    if (!source && prefix.kind !== 'none' && content === 'extended') {
      throw new LongtakeError(
        'input',
        'The clip this one continues is no longer kept: insert the new part only, it is complete.',
      );
    }
    const job = {
      content,
      direction,
      source: source ? { blob: source, label: prefix.label, range: prefix.range } : null,
      frames: await framesInTimeOrder(services, record),
      size,
      rate,
      ...(await maskedFrames(services, record)),
    };
    blob = await media.encode(job, signal, onProgress);
    signal.throwIfAborted();
    await clips.write(record.id, resultFile(content), blob);
  }
  return {
    // A file read back from storage has lost its type, and Adobe Express goes by it.
    blob: new Blob([blob], { type: 'video/mp4' }),
    title: clipTitle(record, content),
    rate,
    frameCount: frameCount + (content === 'extended' ? prefix.range.frameCount : 0),
    content,
    data: clipData(record, content),
  };
}

/** Name of the inserted clip: the source's name without its ending, and what was done to it. */
export function clipTitle(record: ClipRecord, content: Content): string {
  const name = record.prefix.label.replace(/\.[a-z0-9]{2,4}$/i, '').trim();
  const made = { extend: 'continuation', gap: 'gap filled', loop: 'loop', region: 'repainted' }[
    record.purpose ?? 'extend'
  ];
  const what = content === 'extended' ? 'extended' : made;
  return name === '' ? `Longtake ${what}` : `${name} (${what})`;
}

/** What stays with the clip: enough to make it again. All values are strings, well under Express's 3 KB. */
export function clipData(record: ClipRecord, content: Content): Record<string, string> {
  return {
    'longtake.clip': record.id,
    'longtake.content': content,
    'longtake.model': record.report?.model ?? '',
    'longtake.backend': record.report?.backend ?? '',
    'longtake.profile': record.profile,
    ...(record.fit ? { 'longtake.passes': String(record.report?.fit?.steps ?? record.fit.steps) } : {}),
    'longtake.seed': String(record.seed),
    'longtake.task': record.purpose ?? 'extend',
    'longtake.direction': record.direction,
    'longtake.frames': String(record.frameCount),
    'longtake.rate': `${record.rate.num}/${record.rate.den}`,
  };
}

/** The frames that repainted ones take the place of, and where they differ. */
async function maskedFrames(services: PanelServices, record: ClipRecord): Promise<Pick<EncodeJob, 'within'>> {
  const { region } = record.prefix;
  if (!region) return {};
  const mask = await services.clips.read(record.id, maskFile);
  if (!mask) throw new LongtakeError('input', 'The mask of this clip is no longer kept: paint it again.');
  const data = new Uint8Array(await mask.arrayBuffer());
  return { within: { range: region.range, mask: { ...record.size, data } } };
}

async function framesInTimeOrder(services: PanelServices, record: ClipRecord): Promise<Blob[]> {
  const files: Blob[] = [];
  for (let index = 0; index < record.frameCount; index++) {
    files.push(await madeFrameFile(services, record.id, index));
  }
  return record.direction === 'forward' ? files : files.reverse();
}
