import type { BackendChoice } from '../engine/world/backend.ts';
import type { ModelJson } from '../engine/package/model-json.ts';
import type { ParitySubject } from '../engine/parity/rollout.ts';
import type { ExtendTask } from '../media/extension.ts';
import type { InpaintingTasks } from '../media/inpainting.ts';

/** A world model ready to run. */
export interface ReadyModel extends InpaintingTasks {
  readonly model: ModelJson;
  /** What it runs on now; after a failure of the device it may be another one. */
  readonly backend: string;
  readonly extend: ExtendTask;
  /** As `extend`, but the new frames lead back to the clip's beginning. */
  readonly loop: ExtendTask;
  dispose(): void;
}

/** One package in the models folder. */
export interface ModelEntry {
  name: string;
  folder: string;
  /** Null when model.json can not be read; `fault` then says why. */
  model: ModelJson | null;
  fault?: string;
}

/** What the commands need of the engine. The real one is in `node-engine.ts`; tests may bring a small one. */
export interface CliEngine {
  listModels(): Promise<ModelEntry[]>;
  /** A package by name or folder, null = the default one. @throws LongtakeError 'usage' or 'package' */
  find(name: string | null): Promise<ModelEntry & { model: ModelJson }>;
  /**
   * Loads a package by name or folder and puts it on a backend.
   * @throws LongtakeError 'usage' (no such model), 'package', 'backend', 'cancelled'
   */
  load(
    name: string | null,
    options: {
      backend: BackendChoice;
      signal: AbortSignal;
      onProgress: (done: number, total: number) => void;
    },
  ): Promise<ReadyModel>;
  /** Reads every file of a package and checks it. @throws LongtakeError 'package' */
  verify(name: string, signal: AbortSignal): Promise<{ model: ModelJson; bytes: number }>;
  /**
   * Runs one rollout on each backend and compares what it leaves behind, with a recording from PyTorch or with the first.
   * @returns a table as text
   */
  parity(
    name: string | null,
    options: { subjects: readonly ParitySubject[]; recording: string | null; signal: AbortSignal },
  ): Promise<string>;
}
