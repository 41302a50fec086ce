import { describe, expect, it } from 'vitest';
import { commonSizes, shareBuffers } from '../../src/engine/world/webgpu/workspace.ts';

describe('shareBuffers', () => {
  it('shares a buffer only between tensors that are never alive together', () => {
    const tensors = [
      { name: 'x', bytes: 40, first: 0, last: 9 },
      { name: 'a', bytes: 100, first: 1, last: 3 },
      { name: 'b', bytes: 50, first: 3, last: 5 },
      { name: 'c', bytes: 80, first: 4, last: 6 },
      { name: 'd', bytes: 10, first: 7, last: 8 },
    ];
    const { slots, sizes } = shareBuffers(tensors);
    for (const one of tensors) {
      expect(sizes[slots.get(one.name)!]).toBeGreaterThanOrEqual(one.bytes);
      for (const other of tensors) {
        const together = one.first <= other.last && other.first <= one.last;
        if (one !== other && together) expect(slots.get(one.name)).not.toBe(slots.get(other.name));
      }
    }
    expect(sizes).toEqual([100, 50, 40]);
  });

  it('finds sizes that serve several workspaces', () => {
    const workspace = (sizes: number[]) => ({ slots: new Map<string, number>(), sizes });
    expect(commonSizes([workspace([9, 4]), workspace([7, 6, 1])])).toEqual([9, 6, 1]);
  });
});
