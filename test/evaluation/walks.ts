import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodePatches } from '../../src/engine/codec/patch.ts';
import type { LoadedModel, WorldPackage } from '../../src/engine/index.ts';
import type { CameraPose, RgbaFrame } from '../../src/engine/types.ts';
import { type Chunk, denoiseThenCommit, type WorldSession } from '../../src/engine/world/world-model.ts';
import type { EvaluationClip } from '../../src/evaluation/evaluate-clip.ts';
import { encodePng } from '../../src/media/node/png.ts';

/** A frame that tells its own number: red is 2 · number everywhere, the rest a pattern that drifts. */
export function walkFrame(number: number, side = 16): RgbaFrame {
  const data = new Uint8ClampedArray(side * side * 4);
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [at % side, Math.floor(at / side)];
    data.set([2 * number, (x * 12 + number * 7) % 256, (y * 14 + x * number) % 256, 255], at * 4);
  }
  return { width: side, height: side, data };
}

/** A camera turned left by 90°, far from the origin, that walks along the world’s z: to its own left. */
export function walkPose(number: number): CameraPose {
  return { position: [5, 0.5, 0.25 * number + 3], orientation: [Math.SQRT1_2, 0, Math.SQRT1_2, 0] };
}

/** A clip in memory. */
export function walkClip(name: string, frames: number, side = 16): EvaluationClip {
  return {
    name,
    size: { width: side, height: side },
    frameCount: frames,
    camera: { verticalFov: 70, poses: Array.from({ length: frames }, (_, number) => walkPose(number)) },
    read: async (index) => walkFrame(index, side),
  };
}

/** The same as a folder of the exchange format. */
export async function writeWalk(root: string, name: string, frames: number, side = 16): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  for (let number = 0; number < frames; number++) {
    const file = join(folder, `${String(number).padStart(4, '0')}.png`);
    await writeFile(file, encodePng(walkFrame(number, side)));
  }
  const poses = Array.from({ length: frames }, (_, number) => walkPose(number));
  await writeFile(join(folder, 'camera.json'), JSON.stringify({ verticalFov: 70, poses }));
  return folder;
}

/** One frame as the network was shown it. */
export interface SeenFrame {
  kind: 'commit' | 'denoise';
  time: number;
  /** Tokens to be made. */
  open: number;
  /** Number of the frame, from the red of a given token; null where nothing is given. */
  number: number | null;
  /** The position of the camera, null where unknown. */
  position: number[] | null;
  /** Direction through the first token's centre. */
  direction: number[];
  /** Latents of tokens to be made are all 0. */
  blank: boolean;
}

/**
 * A stand-in for the network that paints frames as it is told and notes all it is shown.
 * @param paint frame of a time index, null = black
 */
export function paintingModel(
  pkg: WorldPackage,
  paint: (time: number) => RgbaFrame | null,
): { model: LoadedModel; seen: SeenFrame[]; keys: unknown[]; sessions: () => number } {
  const { grid, latentChannels } = pkg.model.world;
  const patch = pkg.model.codec.kind === 'patch' ? pkg.model.codec.patch : 0;
  const tokens = grid.rows * grid.columns;
  const seen: SeenFrame[] = [];
  const keys: unknown[] = [];
  let open = 0;

  const note = (kind: SeenFrame['kind'], chunk: Chunk): void => {
    chunk.times.forEach((time, frame) => {
      const mask = chunk.mask.subarray(frame * tokens, (frame + 1) * tokens);
      const givenToken = kind === 'commit' ? 0 : mask.indexOf(0);
      const at = (frame * tokens + Math.max(0, givenToken)) * latentChannels;
      const own = (token: number) =>
        chunk.latents.subarray(
          (frame * tokens + token) * latentChannels,
          (frame * tokens + token + 1) * latentChannels,
        );
      seen.push({
        kind,
        time,
        open: mask.reduce((sum, value) => sum + value, 0),
        number: givenToken < 0 ? null : Math.round(((chunk.latents[at]! + 1) * 127.5) / 2),
        position: chunk.cameraKnown[frame]
          ? [...chunk.rays.subarray(frame * tokens * 6, frame * tokens * 6 + 3)]
          : null,
        direction: [...chunk.rays.subarray(frame * tokens * 6 + 3, frame * tokens * 6 + 6)],
        blank: [...mask].every((value, token) => value === 0 || own(token).every((latent) => latent === 0)),
      });
    });
  };

  const createSession = async (): Promise<WorldSession> => {
    open++;
    let committed = 0;
    const session: WorldSession = {
      get committed() {
        return committed;
      },
      async commit(chunks) {
        for (const chunk of chunks) note('commit', chunk);
        committed += chunks.length;
      },
      async denoise(chunk, _levels, key) {
        note('denoise', chunk);
        keys.push(key);
        const latents = chunk.latents.slice();
        chunk.times.forEach((time, frame) => {
          const painted = paint(time);
          const rgb = new Uint8ClampedArray(tokens * latentChannels);
          if (painted)
            for (let at = 0; at < rgb.length; at++)
              rgb[at] = painted.data[Math.floor(at / 3) * 4 + (at % 3)]!;
          const made = new Float32Array(rgb.length);
          encodePatches(rgb, made, { ...grid, patch });
          for (let token = 0; token < tokens; token++) {
            if (chunk.mask[frame * tokens + token] === 0) continue;
            const from = token * latentChannels;
            latents.set(
              made.subarray(from, from + latentChannels),
              (frame * tokens + token) * latentChannels,
            );
          }
        });
        return latents;
      },
      generate(...given) {
        return denoiseThenCommit(session, ...given);
      },
      settle: async () => undefined,
      snapshot: async () => ({ committed, layers: [] }),
      restore: async (snapshot) => {
        committed = snapshot.committed;
      },
      dispose() {
        open--;
      },
    };
    return session;
  };
  const world = { spec: pkg.model.world, backend: 'ort' as const, createSession, dispose: () => undefined };
  return {
    model: { package: pkg, world, backend: 'ort', dispose: () => undefined },
    seen,
    keys,
    sessions: () => open,
  };
}
