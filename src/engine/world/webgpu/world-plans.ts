import { LongtakeError } from '../../types.ts';
import type { WorldSpec } from '../../package/model-json.ts';
import type { KernelChoice } from './kernel-choice.ts';
import { MOST_ROLLOUTS } from './launch.ts';
import type { Extent } from './operation.ts';
import type { WeightFormats } from './hand-over.ts';
import { OperationList } from './operations.ts';
import { makePlan, type Plan } from './plan.ts';
import { stateSizes } from './state-sizes.ts';

/** Every plan of a model. */
export interface Plans {
  levels: Plan;
  /** Of one rollout. */
  denoise: Plan;
  /** Of one rollout, by number of chunks, largest first; the last is for one chunk. */
  commits: Plan[];
  merged: MergedPlans;
}

/** What a device gives a binding. */
export type BindingLimits = Pick<GPUSupportedLimits, 'maxStorageBufferBindingSize' | 'maxBufferSize'>;

const DEFAULT_LIMITS: BindingLimits = { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 28 };

/**
 * @param primingChunks most chunks of one commit pass
 * @param choice kernels that work on every device unless given
 * @param limits of the device; WebGPU's defaults unless given
 * @throws LongtakeError `backend` when the picture is too large for WebGPU's grids
 */
export function makePlans(
  spec: WorldSpec,
  formats: WeightFormats,
  primingChunks: number,
  choice?: KernelChoice,
  limits = DEFAULT_LIMITS,
): Plans {
  const denoise = (extent: Extent): Plan => {
    const before = new OperationList(spec, formats, extent, choice);
    before.condition({ poses: true });
    before.noise();
    const step = new OperationList(spec, formats, extent, choice);
    step.embed();
    spec.layers.forEach((_, index) => step.layer(index, { commit: false, poses: true, stateOnly: false }));
    step.sample();
    return makePlan(extent, before.operations, step.operations);
  };
  const commit = (extent: Extent): Plan => {
    const step = new OperationList(spec, formats, extent, choice);
    step.condition({ poses: false });
    step.embed();
    spec.layers.forEach((_, index) => {
      const stateOnly = index === spec.layers.length - 1;
      step.layer(index, { commit: true, poses: false, stateOnly });
    });
    return makePlan(extent, [], step.operations);
  };
  const levels = new OperationList(spec, formats, ONE, choice);
  levels.levelTable();
  return {
    levels: makePlan(ONE, [], levels.operations),
    denoise: denoise(ONE),
    commits: [...new Set([primingChunks, 1])].map((chunks) => commit({ rollouts: 1, chunks })),
    merged: new MergedPlans(spec, limits, denoise, commit),
  };
}

const ONE: Extent = { rollouts: 1, chunks: 1 };

/** Plans of passes over several rollouts, one chunk of each; made when first asked for. */
export class MergedPlans {
  /** Rollouts that one pass can make on this device; 1 where none can be merged. */
  readonly most: number;
  readonly #denoise: PlanMaker;
  readonly #commit: PlanMaker;

  constructor(spec: WorldSpec, limits: BindingLimits, denoise: ExtentPlan, commit: ExtentPlan) {
    this.#denoise = new PlanMaker(denoise);
    this.#commit = new PlanMaker(commit);
    const largest = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    const states = stateSizes(spec).flatMap(({ scan, cache }) => [4 * scan, 16 * cache]);
    let most = MOST_ROLLOUTS;
    while (most > 1 && !(Math.max(...states) * most <= largest && this.#fit(most, largest))) most /= 2;
    this.most = most;
  }

  /** @param rollouts 2 … most */
  denoise(rollouts: number): Plan {
    return this.#denoise.of(rollouts);
  }

  /** @param rollouts 2 … most */
  commit(rollouts: number): Plan {
    return this.#commit.of(rollouts);
  }

  #fit(rollouts: number, largest: number): boolean {
    try {
      const plans = [this.denoise(rollouts), this.commit(rollouts)];
      return plans.every(({ workspace }) => Math.max(...workspace.sizes) <= largest);
    } catch (error) {
      if (error instanceof LongtakeError && error.code === 'backend') return false;
      throw error;
    }
  }
}

type ExtentPlan = (extent: Extent) => Plan;

class PlanMaker {
  readonly #make: ExtentPlan;
  readonly #made = new Map<number, Plan>();

  constructor(make: ExtentPlan) {
    this.#make = make;
  }

  of(rollouts: number): Plan {
    const plan = this.#made.get(rollouts) ?? this.#make({ rollouts, chunks: 1 });
    this.#made.set(rollouts, plan);
    return plan;
  }
}
