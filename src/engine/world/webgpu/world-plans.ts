import type { WorldSpec } from '../../package/model-json.ts';
import { type Operation, OperationList, type WeightFormats } from './operations.ts';
import type { KernelChoice } from './kernel-choice.ts';
import { makePlan, type Plan } from './plan.ts';

/** Every plan of a model. */
export interface Plans {
  levels: Plan;
  denoise: Plan;
  /** By number of chunks, largest first; the last is for one chunk. */
  commits: Plan[];
}

/**
 * @param primingChunks most chunks of one commit pass
 * @param choice kernels that work on every device unless given
 * @throws LongtakeError `backend` when the picture is too large for WebGPU's grids
 */
export function makePlans(
  spec: WorldSpec,
  formats: WeightFormats,
  primingChunks: number,
  choice?: KernelChoice,
): Plans {
  const operations = (chunks: number, add: (list: OperationList) => void): readonly Operation[] => {
    const own = new OperationList(spec, formats, chunks, choice);
    add(own);
    return own.operations;
  };
  const denoise = makePlan(
    1,
    operations(1, (own) => {
      own.condition({ poses: true });
      own.noise();
    }),
    operations(1, (own) => {
      own.embed();
      spec.layers.forEach((_, index) => own.layer(index, { commit: false, poses: true, stateOnly: false }));
      own.sample();
    }),
  );
  const commits = [...new Set([primingChunks, 1])].map((chunks) =>
    makePlan(
      chunks,
      [],
      operations(chunks, (own) => {
        own.condition({ poses: false });
        own.embed();
        spec.layers.forEach((_, index) => {
          const stateOnly = index === spec.layers.length - 1;
          own.layer(index, { commit: true, poses: false, stateOnly });
        });
      }),
    ),
  );
  const levels = makePlan(
    1,
    [],
    operations(1, (own) => own.levelTable()),
  );
  return { levels, denoise, commits };
}
