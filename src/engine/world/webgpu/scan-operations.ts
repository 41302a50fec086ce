import type { Operation, Place } from './operation.ts';
import {
  isTiledScan,
  SCAN,
  type ScanOptions,
  scanProgram,
  scanWorkgroups,
  tiledReadProgram,
  tiledReadWorkgroups,
  tiledWriteProgram,
  tiledWriteWorkgroups,
} from './programs.ts';
import {
  isShortScan,
  SCORES,
  type ScoresExtent,
  scoresFloats,
  scoresProgram,
  scoresReadProgram,
  scoresReadWorkgroups,
  scoresWorkgroups,
  scoresWriteProgram,
  scoresWriteWorkgroups,
} from './scan-scores.ts';

/** Where the recurrence of a layer lies. */
export interface ScanPlaces {
  layer: number;
  projection: Place;
  recalled: Place;
}

/** The dispatches of the recurrence itself: token after token, in tiles, or from written scores. */
export function scanOperations(
  options: ScanOptions,
  extent: ScoresExtent,
  { layer, projection, recalled }: ScanPlaces,
): Operation[] {
  const what = `${options.kind} ${options.block.join('×')}`;
  const name = `${layer} ${what}`;
  const nameOfState = `${layer} state of ${what}`;
  const { rollouts, frames } = extent;
  const read: Record<number, Place> = {
    [SCAN.projection]: projection,
    [SCAN.state]: { kind: 'state', part: 'scan', layer },
  };
  const places = { ...read, [SCAN.out]: recalled };
  if (!isTiledScan(options)) {
    return [{ name, program: scanProgram(options), workgroups: scanWorkgroups(options, rollouts), places }];
  }
  if (!isShortScan(options, frames)) {
    const workgroups = tiledReadWorkgroups(options, frames, rollouts);
    const reading = { name, program: tiledReadProgram(options), workgroups, places };
    if (!options.commit) return [reading];
    const writing = {
      ...{ name: nameOfState, program: tiledWriteProgram(options) },
      ...{ workgroups: tiledWriteWorkgroups(options, rollouts), places: read },
    };
    return [reading, writing];
  }
  const floats = scoresFloats(options, extent);
  const scores: Place = { kind: 'work', name: `scores ${layer}`, floats: floats.scores };
  const weighted: Place = { kind: 'work', name: `weighted keys ${layer}`, floats: floats.weighted };
  const scoring: Operation = {
    ...{ name: `${layer} scores of ${what}`, program: scoresProgram(options) },
    workgroups: scoresWorkgroups(options, extent),
    places: {
      ...{ [SCORES.projection]: projection, [SCORES.scores]: scores },
      ...(options.commit ? { [SCORES.weighted]: weighted } : {}),
    },
  };
  const reading: Operation = {
    ...{ name, program: scoresReadProgram(options), workgroups: scoresReadWorkgroups(options, extent) },
    places: { ...places, [SCORES.scores]: scores },
  };
  if (!options.commit) return [scoring, reading];
  const writing: Operation = {
    ...{ name: nameOfState, program: scoresWriteProgram(options) },
    workgroups: scoresWriteWorkgroups(options, rollouts),
    places: { ...read, [SCORES.weighted]: weighted },
  };
  return [scoring, reading, writing];
}
