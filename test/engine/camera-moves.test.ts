import { describe, expect, it } from 'vitest';
import { knowsSpeed, moveTrack, type CameraMove, type MoveStage } from '../../src/engine/camera/moves.ts';
import { rotate } from '../../src/engine/camera/poses.ts';
import { writeRays } from '../../src/engine/camera/rays.ts';
import type { CameraPose } from '../../src/engine/types.ts';

const stage: MoveStage = {
  prefixFrames: 3,
  frameCount: 20,
  direction: 'forward',
  verticalFov: 80,
  aspect: 16 / 9,
};
const at = (...position: [number, number, number]): CameraPose => ({ position, orientation: [1, 0, 0, 0] });

/** Where a pose looks. */
const view = (pose: CameraPose | null) => rotate(pose!.orientation, [0, 0, -1]);
/** Degrees to the left and upwards that a pose has turned. */
function turn(pose: CameraPose | null): { left: number; up: number } {
  const [x, y, z] = view(pose);
  return { left: (Math.atan2(-x, -z) * 180) / Math.PI, up: (Math.asin(y) * 180) / Math.PI };
}
const poses = (move: CameraMove, change: Partial<MoveStage> = {}) =>
  moveTrack(move, { ...stage, ...change }).poses;

describe('a camera move', () => {
  it('claims a pose of the clip’s last frame alone, and lets the camera rest there for hold', () => {
    const track = poses({ kind: 'hold' });
    expect(track).toHaveLength(23);
    expect(track.slice(0, 2)).toEqual([null, null]);
    for (const pose of track.slice(2)) expect(pose).toEqual(at(0, 0, 0));
  });

  it.each([
    ['pan-left', 40, { left: 40, up: 0 }],
    ['pan-right', 100, { left: -100, up: 0 }],
    ['tilt-up', 20, { left: 0, up: 20 }],
    ['tilt-down', 35, { left: 0, up: -35 }],
  ] as const)('%s turns by its degrees where it stands, slowly at both ends', (kind, amount, end) => {
    const track = poses({ kind, amount }).slice(2);
    const last = turn(track.at(-1)!);
    expect(last.left).toBeCloseTo(end.left, 8);
    expect(last.up).toBeCloseTo(end.up, 8);
    for (const pose of track) expect(pose!.position).toEqual([0, 0, 0]);
    const turned = track.map((pose) => Math.hypot(turn(pose).left, turn(pose).up));
    const steps = turned.slice(1).map((value, i) => value - turned[i]!);
    for (const step of steps) expect(step).toBeGreaterThan(0);
    for (const edge of [steps[0]!, steps.at(-1)!]) expect(edge).toBeLessThan(steps[10]! / 3);
  });

  it('turns what is in the picture the other way: after a pan to the left it stands further right', () => {
    const size = { rows: 1, columns: 31, verticalFov: 80, aspect: 1 };
    const rays = new Float32Array(31 * 6);
    writeRays(poses({ kind: 'pan-left', amount: 20 }).at(-1)!, size, rays, 0);
    // The column whose ray points to where the middle of the picture pointed before.
    const ahead = Array.from({ length: 31 }, (_, column) => -rays[column * 6 + 5]!);
    expect(ahead.indexOf(Math.max(...ahead))).toBeGreaterThan(19);
  });

  it('pushes along the view of the clip’s last frame', () => {
    const left: CameraPose = { position: [5, 1, 2], orientation: [Math.SQRT1_2, 0, Math.SQRT1_2, 0] };
    const known = { verticalFov: 50, poses: [at(0, 0, 0), null, left] };
    const track = moveTrack({ kind: 'push-in', amount: 2 }, { ...stage, known });
    expect(track.verticalFov).toBe(50);
    expect(track.poses.slice(0, 3)).toEqual(known.poses);
    [3, 1, 2].forEach((value, axis) => expect(track.poses.at(-1)!.position[axis]).toBeCloseTo(value, 10));
    expect(poses({ kind: 'push-out', amount: 2 }).at(-1)!.position).toEqual([0, 0, 2]);
  });

  it('goes on at the speed the clip’s camera had, straight and turning', () => {
    const known = { poses: [at(0, 0, 0), at(0, 0, -1), at(0, 0, -2)] };
    expect(knowsSpeed({ ...stage, known })).toBe(true);
    const straight = poses({ kind: 'continue' }, { known, frameCount: 3 });
    expect(straight.slice(3).map((pose) => pose!.position[2])).toEqual([-3, -4, -5]);
    const yaw = (degrees: number): CameraPose => {
      const half = (degrees * Math.PI) / 360;
      return { position: [0, 0, 0], orientation: [Math.cos(half), 0, Math.sin(half), 0] };
    };
    const turning = poses({ kind: 'continue' }, { known: { poses: [yaw(0), yaw(5), yaw(10)] } });
    turning.slice(3).forEach((pose, i) => expect(turn(pose).left).toBeCloseTo(15 + 5 * i, 6));
  });

  it('can not go on at a speed that nobody knows, and rests instead', () => {
    for (const known of [undefined, { poses: [at(0, 0, 0), at(1, 0, 0), null] }]) {
      expect(knowsSpeed({ ...stage, known })).toBe(false);
      const track = poses({ kind: 'continue' }, { known });
      expect(track.slice(3)).toEqual(Array(20).fill(known ? at(1, 0, 0) : at(0, 0, 0)));
    }
  });

  it('ends at the cut where it stands before the clip', () => {
    const track = poses({ kind: 'pan-left', amount: 40 }, { direction: 'backward' });
    expect(track.slice(20)).toEqual([at(0, 0, 0), null, null]);
    const turned = track.slice(0, 21).map((pose) => turn(pose).left);
    expect(turned[0]).toBeCloseTo(-40, 8);
    turned.slice(1).forEach((left, i) => expect(left).toBeGreaterThan(turned[i]!));
    const known = { poses: [at(0, 0, 0), at(0, 0, -1), at(0, 0, -2)] };
    const onward = poses({ kind: 'continue' }, { direction: 'backward', known, frameCount: 2 });
    expect(onward.map((pose) => pose!.position[2])).toEqual([2, 1, 0, -1, -2]);
  });

  it('starts at its first frame where there is no clip', () => {
    const track = poses({ kind: 'pan-right', amount: 30 }, { prefixFrames: 0 });
    expect(track).toHaveLength(20);
    expect(track[0]).toEqual(at(0, 0, 0));
    expect(turn(track.at(-1)!).left).toBeCloseTo(-30, 8);
    expect(poses({ kind: 'pan-right', amount: 30 }, { prefixFrames: 0, frameCount: 1 })).toEqual([
      at(0, 0, 0),
    ]);
  });
});

describe('a path drawn on the picture', () => {
  it('turns the view so that the end of the path lies in its middle', () => {
    const end = { x: -0.3, y: 0.4 };
    const track = poses({ kind: 'path', path: [{ x: 0.1, y: 0 }, end] });
    const tall = 2 * Math.tan((80 * Math.PI) / 360);
    const target = [end.x * tall * (16 / 9), end.y * tall, -1];
    const length = Math.hypot(...target);
    view(track.at(-1)!).forEach((value, axis) => expect(value).toBeCloseTo(target[axis]! / length, 8));
    for (const pose of track.slice(2)) expect(pose!.position).toEqual([0, 0, 0]);
  });

  it('is followed around its corners', () => {
    const track = poses({
      kind: 'path',
      path: [
        { x: 0.4, y: 0 },
        { x: 0.4, y: 0.4 },
      ],
    })
      .slice(2)
      .map(turn);
    const corner = track.findIndex(({ up }) => up > 0.01);
    expect(corner).toBeGreaterThan(5);
    for (const { up } of track.slice(0, corner)) expect(up).toBeCloseTo(0, 6);
    const right = (2 * Math.tan((40 * Math.PI) / 180) * 0.4 * 16) / 9;
    for (const { left } of track.slice(corner))
      expect(Math.tan((-left * Math.PI) / 180)).toBeCloseTo(right, 6);
  });

  it('without points leaves the camera where it is', () => {
    for (const pose of poses({ kind: 'path', path: [] }).slice(2)) {
      const { left, up } = turn(pose);
      expect([left + 0, up + 0]).toEqual([0, 0]);
    }
  });
});
