import { LongtakeError } from '../../types.ts';

/** The graphics device went away in mid-work. Everything that lived on it is gone; what a caller copied is not. */
export class DeviceLostError extends LongtakeError {
  /** What is still there. */
  readonly kept: string;

  constructor(detail: string) {
    const kept = 'frames already delivered and the last snapshot';
    super(
      'backend',
      `The graphics device stopped working; ${kept} are kept, so the rollout can be resumed.`,
      {
        cause: new Error(detail),
      },
    );
    this.name = 'DeviceLostError';
    this.kept = kept;
  }
}

/** The graphics device refused memory that the model needs. */
export class OutOfGpuMemoryError extends LongtakeError {
  constructor(detail: string) {
    super('backend', 'The graphics device has too little free memory for this model; nothing was changed.', {
      cause: new Error(detail),
    });
    this.name = 'OutOfGpuMemoryError';
  }
}
