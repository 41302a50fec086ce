/**
 * The engine, free of any platform: Node programs import `./node.ts`, code that runs in a browser worker `./browser.ts`, and
 * pages `./worker/client.ts`; all three export what is here.
 */
export * from './types.ts';
export type * from './package/model-json.ts';
export { parseModelJson, validateModelJson } from './package/validate.ts';
export { openPackage } from './package/world-package.ts';
export type {
  OpenPackageOptions,
  PackageProgress,
  PackageSource,
  WorldPackage,
} from './package/world-package.ts';
export { loadOnBackend } from './world/backend.ts';
export type { BackendChoice, WorldBackend } from './world/backend.ts';
export type {
  BackendName,
  Chunk,
  NoiseKey,
  WorldModel,
  WorldSession,
  WorldSnapshot,
} from './world/world-model.ts';
export { loadedModel } from './loaded-model.ts';
export type { LoadedModel } from './loaded-model.ts';
export { knowsSpeed, moveTrack } from './camera/moves.ts';
export type { CameraMove, MoveStage } from './camera/moves.ts';
export type { DrawnPath, PathPoint } from './camera/drawn-path.ts';
export { extendClip } from './tasks/extend.ts';
export { fillGap, makeLoop } from './tasks/gap.ts';
export type { GapEvent, GapReport, GapRequest, LoopRequest } from './tasks/gap-request.ts';
export { repaintRegion } from './tasks/region.ts';
export type {
  MaskPicture,
  RectangleKeyframe,
  RegionMask,
  RepaintEvent,
  RepaintReport,
  RepaintRequest,
} from './tasks/region-request.ts';
export { MAX_FRAMES } from './tasks/check-request.ts';
export type {
  Direction,
  ExtendEvent,
  ExtendReport,
  ExtendRequest,
  FrameEvent,
  Frames,
  PrimedPrefix,
  Profile,
  RolloutProgress,
  RolloutSettings,
  SeamFigures,
} from './tasks/extend-request.ts';
export { knownSpeed, measureSpeed } from './scheduler/calibrate.ts';
export { PROFILES, stepsFor } from './scheduler/profiles.ts';
export { chunkMs, predictSeconds } from './scheduler/speed.ts';
export type { RolloutWork, Speed } from './scheduler/speed.ts';
export { workOf, workOfGap, workOfRegion } from './scheduler/work.ts';
export { MAX_STEPS } from './sampler/levels.ts';
export { frameStep, seamFigures } from './seam.ts';
