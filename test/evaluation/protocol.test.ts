import { describe, expect, it } from 'vitest';
import {
  checkDegradation,
  degradePicture,
  degradeSequence,
  NO_DEGRADATION,
} from '../../src/evaluation/degradation.ts';
import { framesNeeded, protocolFrames, type EvaluationTask } from '../../src/evaluation/protocol.ts';
import { makePicture } from './pictures.ts';

function columns(task: EvaluationTask, context: number, generate: number) {
  const frames = protocolFrames(task, context, generate);
  return {
    frames: frames.map(({ frame }) => frame),
    times: frames.map(({ time }) => time),
    roles: frames.map(({ role }) => role[0]).join(''),
    distances: frames.map(({ distance }) => distance),
  };
}

describe('protocols', () => {
  it('retrieval: the context, then the exact way back', () => {
    expect(columns('retrieval', 5, 4)).toEqual({
      frames: [0, 1, 2, 3, 4, 4, 3, 2, 1],
      times: [0, 1, 2, 3, 4, 5, 6, 7, 8],
      roles: 'gggggmmmm',
      distances: [0, 0, 0, 0, 0, 1, 2, 3, 4],
    });
    expect(framesNeeded('retrieval', 400, 400)).toBe(400);
  });

  it('reasoning: the walk as it is', () => {
    expect(columns('reasoning', 3, 4)).toEqual({
      frames: [0, 1, 2, 3, 4, 5, 6],
      times: [0, 1, 2, 3, 4, 5, 6],
      roles: 'gggmmmm',
      distances: [0, 0, 0, 1, 2, 3, 4],
    });
    expect(framesNeeded('reasoning', 576, 224)).toBe(800);
  });

  it('gap: anchors after it with their true times, frames before it, the gap', () => {
    expect(columns('gap', 5, 3)).toEqual({
      frames: [6, 7, 0, 1, 2, 3, 4, 5],
      times: [6, 7, 0, 1, 2, 3, 4, 5],
      roles: 'gggggmmm',
      distances: [0, 0, 0, 0, 0, 1, 2, 3],
    });
  });

  it('region and cold start', () => {
    expect(columns('region', 2, 2).roles).toBe('ggrr');
    expect(columns('region', 0, 2).frames).toEqual([0, 1]);
    expect(columns('cold', 0, 3)).toEqual({
      frames: [0, 1, 2],
      times: [0, 1, 2],
      roles: 'mmm',
      distances: [1, 2, 3],
    });
  });

  it.each<[EvaluationTask, number, number, RegExp]>([
    ['retrieval', 5, 6, /way back/],
    ['retrieval', 0, 0, /one frame/],
    ['reasoning', 0, 5, /context of at least one frame/],
    ['gap', 1, 5, /at least two frames/],
    ['cold', 5, 5, /no context/],
  ])('%s refuses %i → %i', (task, context, generate, sentence) => {
    expect(() => protocolFrames(task, context, generate)).toThrow(sentence);
  });
});

describe('degraded prefixes', () => {
  const frames = protocolFrames('retrieval', 20, 10);

  it('leaves a share of the given frames out; the others keep their times', () => {
    const degraded = degradeSequence(frames, { ...NO_DEGRADATION, missing: 0.2 }, 3);
    expect(degraded).toHaveLength(26);
    expect(degraded[0]).toEqual(frames[0]);
    expect(degraded.filter(({ role }) => role === 'made')).toEqual(frames.slice(20));
    for (const entry of degraded) expect(entry).toEqual(frames[entry.time]);
    expect(degradeSequence(frames, { ...NO_DEGRADATION, missing: 0.2 }, 3)).toEqual(degraded);
    expect(degradeSequence(frames, { ...NO_DEGRADATION, missing: 0.2 }, 4)).not.toEqual(degraded);
  });

  it('never leaves out what the poses are relative to, nor a gap’s first anchor', () => {
    const gap = protocolFrames('gap', 20, 10);
    for (let seed = 0; seed < 20; seed++) {
      const degraded = degradeSequence(gap, { ...NO_DEGRADATION, missing: 0.9 }, seed);
      expect(degraded[0]).toEqual(gap[0]);
      expect(degraded.some(({ time }) => time === 0)).toBe(true);
      // 18 of the 20 may go, nine tenths of them do.
      expect(degraded).toHaveLength(20 - 16 + 10);
    }
  });

  it('lets the camera jump in the middle and keeps the cut and what is to be made', () => {
    const jumped = degradeSequence(frames, { ...NO_DEGRADATION, cameraJump: true }, 0);
    expect(jumped.map(({ frame }) => frame).slice(0, 20)).toEqual([
      ...[9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
      ...[10, 11, 12, 13, 14, 15, 16, 17, 18, 19],
    ]);
    expect(jumped.map(({ time }) => time)).toEqual(frames.map(({ time }) => time));
    expect(jumped.slice(20)).toEqual(frames.slice(20));
  });

  it('adds Gaussian noise of the size asked for, another to every frame', () => {
    const grey = makePicture(64, 64, () => 128);
    const [a, b] = [0, 1].map((index) => degradePicture(grey, index, { ...NO_DEGRADATION, noise: 0.1 }, 7));
    const differences = [...a!.rgb].map((value) => value - 128);
    const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
    const deviation = Math.sqrt(
      differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / differences.length,
    );
    expect(Math.abs(mean)).toBeLessThan(1);
    expect(deviation).toBeGreaterThan(25);
    expect(deviation).toBeLessThan(26);
    expect(a!.rgb).not.toEqual(b!.rgb);
    expect(grey.rgb.every((value) => value === 128)).toBe(true);
  });

  it('hides half of the picture for spells of the length asked for', () => {
    const black = makePicture(20, 20, () => 0);
    const hidden = Array.from({ length: 200 }, (_, index) => {
      const { rgb } = degradePicture(black, index, { ...NO_DEGRADATION, occlusion: 8 }, 5);
      return rgb.filter((value) => value === 128).length / rgb.length;
    });
    expect(new Set(hidden)).toEqual(new Set([0, 0.49]));
    // Five stretches of 40 frames, one spell in each.
    for (let stretch = 0; stretch < 5; stretch++) {
      const part = hidden.slice(stretch * 40, (stretch + 1) * 40);
      const first = part.findIndex((share) => share > 0);
      expect(part.map((share) => share > 0)).toEqual(part.map((_, at) => at >= first && at < first + 8));
    }
  });

  it('is refused where it makes no sense', () => {
    expect(() => checkDegradation('cold', { ...NO_DEGRADATION, noise: 0.1 })).toThrow(/no prefix/);
    expect(() => checkDegradation('gap', { ...NO_DEGRADATION, cameraJump: true })).toThrow(/camera jump/);
  });
});
