import { sharesPasses } from '../engine/scheduler/together.ts';
import type { ExtendTask } from '../media/extension.ts';

/** A model that is loaded. */
export interface BatchEngine {
  readonly extend: ExtendTask;
  /** What it runs on; after a failure of the device it may be another one. */
  readonly backend: string;
}

/** A batch's engine, and what is known of where it runs now. */
export class EngineInUse {
  #reported: string | null = null;

  constructor(private readonly loaded: BatchEngine) {}

  get extend(): ExtendTask {
    return this.loaded.extend;
  }

  /** Whether several rollouts at the same time cost little more than one. */
  get sharesPasses(): boolean {
    return [this.loaded.backend, this.#reported ?? this.loaded.backend].every(sharesPasses);
  }

  /** A preview was finished on a backend: who loaded the model may not have heard that the device failed. */
  finishedOn(backend: string): void {
    this.#reported = backend;
  }
}
