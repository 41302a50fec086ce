import type { Direction } from '../tasks/extend-request.ts';
import type { CameraPose, CameraTrack } from '../types.ts';
import { blendPoses, composePoses, IDENTITY, relativePose } from './poses.ts';
import { pathTurn, type DrawnPath } from './drawn-path.ts';

/** Moves that turn the camera where it stands; their amount is in degrees. */
export const TURNS = ['pan-left', 'pan-right', 'tilt-up', 'tilt-down'] as const;
/** Moves along the view; their amount is in the model's unit of length. */
export const PUSHES = ['push-in', 'push-out'] as const;

export type Turn = (typeof TURNS)[number];
export type Push = (typeof PUSHES)[number];

/**
 * What the camera does over a continuation. `hold`: it rests where the clip leaves it. `continue`: it goes on as it moved
 * before the cut. `path`: the view follows a line drawn on the clip's frame at the cut.
 */
export type CameraMove =
  { kind: 'hold' | 'continue' } | { kind: Turn | Push; amount: number } | { kind: 'path'; path: DrawnPath };

/** Largest amounts. */
export const MOST_DEGREES = 180;
export const MOST_LENGTH = 100;
/** Amounts of a move for which none is given. */
export const USUAL_DEGREES = 30;
export const USUAL_LENGTH = 1;

/** Frames before the cut that the speed of `continue` is measured over. */
const SPEED_FRAMES = 4;

/** Where a move takes place. */
export interface MoveStage {
  /** Frames of the clip and of the continuation, at the clip's rate. */
  prefixFrames: number;
  frameCount: number;
  direction: Direction;
  /** What is known of the clip's own camera: one pose a frame in time order, from the clip's first frame on. */
  known?: CameraTrack | undefined;
  /** Vertical field of view of the picture, degrees. */
  verticalFov: number;
  /** Width over height of the picture. */
  aspect: number;
}

/** Whether a kind of move turns the camera, so that its amount is in degrees. */
export function isTurn(kind: CameraMove['kind']): kind is Turn {
  return TURNS.some((turn) => turn === kind);
}

/** Whether a kind of move goes along the view, so that its amount is in the model's unit of length. */
export function isPush(kind: CameraMove['kind']): kind is Push {
  return PUSHES.some((push) => push === kind);
}

/** Whether the speed of the camera at the cut can be told: at least two of the frames beside it have poses. */
export function knowsSpeed(stage: Pick<MoveStage, 'prefixFrames' | 'direction' | 'known'>): boolean {
  return speedAtCut(cutOutwards(stage)) !== null;
}

/**
 * The camera track that a move means, over clip and continuation in time order (`backward`: the continuation's come first).
 *
 * The move starts at the clip's frame at the cut, eased in and out (`hold` and `continue` need no easing). Where that frame's
 * pose is not known it is given the identity, and the other frames of the clip stay unknown: a pose is relative, so one
 * alone claims nothing of how the camera moved before. `backward` the move is what happens in time, so it ends at the cut:
 * `pan-left` shows the camera panning left until it meets the clip; a drawn path is followed from its end to its beginning.
 * `continue` rests where the clip's camera is not known.
 */
export function moveTrack(move: CameraMove, stage: MoveStage): CameraTrack {
  const { prefixFrames, frameCount, direction, known } = stage;
  const poses = cutOutwards(stage);
  const start = poses.find((pose) => pose !== null) ?? IDENTITY;
  const speed = move.kind === 'continue' ? speedAtCut(poses) : null;
  if (poses.length > 0) poses[0] = start;
  const forward = direction === 'forward';
  const made: CameraPose[] = [];
  for (let i = 0; i < frameCount; i++) {
    // A cold start has no frame that the move could start from but its own first.
    const part = prefixFrames > 0 ? (i + 1) / frameCount : i / Math.max(1, frameCount - 1);
    const before = made.at(-1) ?? start;
    made.push(
      speed
        ? composePoses(before, speed)
        : composePoses(start, localPose(move, eased(part) * (forward ? 1 : -1), stage)),
    );
  }
  return {
    ...(known?.verticalFov === undefined ? {} : { verticalFov: known.verticalFov }),
    poses: forward ? [...poses.reverse(), ...made] : [...made.reverse(), ...poses],
  };
}

/** The clip's poses from the cut outwards. */
function cutOutwards({
  prefixFrames,
  direction,
  known,
}: Pick<MoveStage, 'prefixFrames' | 'direction' | 'known'>): (CameraPose | null)[] {
  const inTime = Array.from({ length: prefixFrames }, (_, index) => known?.poses[index] ?? null);
  return direction === 'forward' ? inTime.reverse() : inTime;
}

/** What the camera does from one frame to the next, seen from itself, away from the clip; null where it is not known. */
function speedAtCut(outwards: readonly (CameraPose | null)[]): CameraPose | null {
  const near = outwards[0];
  if (!near) return null;
  for (let frames = Math.min(SPEED_FRAMES, outwards.length - 1); frames > 0; frames--) {
    const far = outwards[frames];
    if (far) return blendPoses(IDENTITY, relativePose(near, far), 1 / frames);
  }
  return null;
}

/**
 * Where a move has brought the camera, seen from where it started.
 * @param part 0…1 of it; negative in a continuation before the clip, which comes from the other side
 */
function localPose(move: CameraMove, part: number, { verticalFov, aspect }: MoveStage): CameraPose {
  switch (move.kind) {
    case 'hold':
    case 'continue':
      return IDENTITY;
    case 'pan-left':
    case 'pan-right':
      return turned((move.kind === 'pan-left' ? 1 : -1) * part * radians(move.amount), 0);
    case 'tilt-up':
    case 'tilt-down':
      return turned(0, (move.kind === 'tilt-up' ? 1 : -1) * part * radians(move.amount));
    case 'push-in':
    case 'push-out':
      return { ...IDENTITY, position: [0, 0, (move.kind === 'push-in' ? -1 : 1) * part * move.amount] };
    case 'path': {
      const { left, up } = pathTurn(move.path, Math.abs(part), verticalFov, aspect);
      return turned(left, up);
    }
  }
}

/** A camera panned to the left and then tilted up, in radians. */
function turned(left: number, up: number): CameraPose {
  const pan: CameraPose = {
    position: [0, 0, 0],
    orientation: [Math.cos(left / 2), 0, Math.sin(left / 2), 0],
  };
  const tilt: CameraPose = { position: [0, 0, 0], orientation: [Math.cos(up / 2), Math.sin(up / 2), 0, 0] };
  return composePoses(pan, tilt);
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180;

/** Starts and stops softly: no jerk at the cut, none at the end. */
const eased = (part: number): number => part * part * (3 - 2 * part);
