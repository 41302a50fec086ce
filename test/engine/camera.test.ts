import { beforeAll, describe, expect, it } from 'vitest';
import { blendPoses, poseAt, relativePose, rotate } from '../../src/engine/camera/poses.ts';
import { writeRays } from '../../src/engine/camera/rays.ts';
import type { CameraPose } from '../../src/engine/types.ts';
import type { Recording } from '../../src/engine/parity/recording.ts';
import { tinyModel, tinyRecording } from './tiny.ts';

/** Turned about the y axis (up), to the left for positive angles. */
function yaw(angle: number, position: CameraPose['position'] = [0, 0, 0]): CameraPose {
  return { position, orientation: [Math.cos(angle / 2), 0, Math.sin(angle / 2), 0] };
}

function expectPose(actual: CameraPose, expected: CameraPose): void {
  actual.position.forEach((value, i) => expect(value).toBeCloseTo(expected.position[i]!, 10));
  const dot = actual.orientation.reduce((sum, value, i) => sum + value * expected.orientation[i]!, 0);
  expect(Math.abs(dot)).toBeCloseTo(1, 10);
}

describe('poses', () => {
  it('turn vectors', () => {
    const turned = rotate(yaw(Math.PI / 2).orientation, [0, 0, -1]);
    [-1, 0, 0].forEach((value, i) => expect(turned[i]).toBeCloseTo(value, 12));
  });

  it('are identity relative to themselves, and see what lies ahead along −z', () => {
    const origin = yaw(Math.PI / 2, [3, 1, 2]);
    expectPose(relativePose(origin, origin), yaw(0));
    // Facing −x from (3, 1, 2), the point (1, 1, 2) is two units ahead.
    expectPose(relativePose(yaw(Math.PI, [1, 1, 2]), origin), yaw(Math.PI / 2, [0, 0, -2]));
  });

  it('mix along the shorter arc', () => {
    const b = yaw(1, [2, 0, 0]);
    const negated: CameraPose = {
      ...b,
      orientation: b.orientation.map((value) => -value) as CameraPose['orientation'],
    };
    for (const end of [b, negated]) expectPose(blendPoses(yaw(0), end, 0.25), yaw(0.25, [0.5, 0, 0]));
    expectPose(blendPoses(b, negated, 0.5), b);
  });

  it('hold the last one of a track and are unknown beside unknown ones', () => {
    const track = [yaw(0), yaw(1), null, yaw(2)];
    expectPose(poseAt(track, 0.5)!, yaw(0.5));
    expect(poseAt(track, 1.5)).toBeNull();
    expect(poseAt(track, 2)).toBeNull();
    expectPose(poseAt(track, 9)!, yaw(2));
    expect(poseAt([], 0)).toBeNull();
  });
});

describe('rays', () => {
  let recording: Recording;
  let projection: Parameters<typeof writeRays>[1];

  beforeAll(async () => {
    recording = await tinyRecording();
    const model = await tinyModel();
    const { grid } = model.world.spec;
    const { camera, frame } = model.package.model;
    projection = { ...grid, verticalFov: camera.verticalFov, aspect: frame.width / frame.height };
    model.dispose();
  });

  it('agree with those that PyTorch recorded, up to the turn of the camera', () => {
    const tokens = projection.rows * projection.columns;
    const own = new Float32Array(tokens * 6);
    writeRays(yaw(0), projection, own, 0);
    const recorded = recording.chunk(1).rays.subarray(tokens * 6 * 3, tokens * 6 * 4);
    const direction = (rays: Float32Array, token: number): Float32Array =>
      rays.subarray(token * 6 + 3, token * 6 + 6);
    const volume = (rays: Float32Array): number => {
      const [a, b, c] = [0, projection.columns - 1, tokens - 1].map((token) => direction(rays, token)) as [
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      return (
        a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) -
        a[1]! * (b[0]! * c[2]! - b[2]! * c[0]!) +
        a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!)
      );
    };
    for (let i = 0; i < tokens; i++) {
      expect(recorded.subarray(i * 6, i * 6 + 3)).toEqual(recorded.subarray(0, 3));
      for (let j = 0; j < tokens; j++) {
        const dot = (rays: Float32Array): number =>
          direction(rays, i).reduce((sum, value, axis) => sum + value * direction(rays, j)[axis]!, 0);
        expect(dot(own)).toBeCloseTo(dot(recorded), 5);
      }
    }
    // A mirrored grid would have the same angles and the opposite sign here.
    expect(volume(own)).toBeCloseTo(volume(recorded), 5);
  });

  it('point up at the top, right at the right, ahead in the middle, further out on a wide picture', () => {
    const wide = new Float32Array(3 * 3 * 6);
    writeRays(yaw(0, [1, 2, 3]), { rows: 3, columns: 3, verticalFov: 90, aspect: 2 }, wide, 0);
    const [top, right, middle] = [1, 5, 4].map((token) => wide.subarray(token * 6, token * 6 + 6));
    expect([...middle!]).toEqual([1, 2, 3, 0, 0, -1].map((value) => value + 0));
    expect(top![4]! / -top![5]!).toBeCloseTo(2 / 3, 5);
    expect(right![3]! / -right![5]!).toBeCloseTo(4 / 3, 5);
  });
});
