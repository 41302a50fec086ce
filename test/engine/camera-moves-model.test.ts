import { afterAll, beforeAll, expect, it } from 'vitest';
import { moveTrack } from '../../src/engine/camera/moves.ts';
import {
  DEFAULT_MODELS,
  extendClip,
  loadWorldModel,
  nodeFolder,
  openPackage,
  type LoadedModel,
  type RgbaFrame,
} from '../../src/engine/node.ts';
import { openClipFile } from '../../src/media/node/clip-file.ts';

const CLIP = new URL('../../examples/maze-walk.mp4', import.meta.url).pathname;
const FRAMES = 12;

let model: LoadedModel;
let prefix: RgbaFrame[];
beforeAll(async () => {
  model = await loadWorldModel(await openPackage(nodeFolder(`${DEFAULT_MODELS}/maze-64`)), {
    backend: 'ort',
  });
  const clip = await openClipFile(CLIP);
  prefix = [];
  // Two blocks at different distances, not far from the middle.
  for await (const frame of clip.frames(50, 10)) prefix.push(frame);
  clip.dispose();
}, 60_000);
afterAll(() => model.dispose());

/** How far the picture moves to the right over new frames that pan, in pixels, step by step. */
async function drift(kind: 'pan-left' | 'pan-right'): Promise<number> {
  const size = { width: prefix[0]!.width, height: prefix[0]!.height };
  const stage = { prefixFrames: prefix.length, frameCount: FRAMES, direction: 'forward', aspect: 1 } as const;
  const { verticalFov } = model.package.model.camera;
  const camera = moveTrack({ kind, amount: 30 }, { ...stage, verticalFov });
  const request = { prefix, size, rate: { num: 12, den: 1 }, frameCount: FRAMES, seed: 1 } as const;
  let [before, sum] = [prefix.at(-1)!, 0];
  for await (const event of extendClip(model, { ...request, camera, profile: 'draft' })) {
    if (event.kind !== 'frame') continue;
    sum += shift(before, event.frame);
    before = event.frame;
  }
  return sum;
}

/** The shift to the right, up to 16 pixels, that turns one picture into the other best. */
function shift(from: RgbaFrame, to: RgbaFrame): number {
  const shifts = Array.from({ length: 33 }, (_, i) => i - 16);
  const errors = shifts.map((by) => {
    let [sum, count] = [0, 0];
    for (let y = 0; y < from.height; y += 2) {
      for (let x = Math.max(0, by); x < Math.min(from.width, from.width + by); x += 2) {
        for (let c = 0; c < 3; c++) {
          const step = to.data[(y * to.width + x) * 4 + c]! - from.data[(y * from.width + x - by) * 4 + c]!;
          sum += step * step;
          count++;
        }
      }
    }
    return sum / count;
  });
  return shifts[errors.indexOf(Math.min(...errors))]!;
}

it('the shipped model pans the way it is told, with no pose of the clip known', async () => {
  expect(await drift('pan-left')).toBeGreaterThan(25);
  expect(await drift('pan-right')).toBeLessThan(-25);
}, 120_000);
