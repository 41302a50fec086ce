import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { formatParity, nodeFolder, openPackage, packageParity } from '../../src/engine/node.ts';
import { measureParity, recordedRollout } from '../../src/engine/parity/parity.ts';
import { TINY, tinyModel, tinyRecording } from './tiny.ts';

const RECORDING = fileURLToPath(new URL('../fixtures/tiny/recorded.safetensors', import.meta.url));

describe('the parity table', () => {
  it('judges a backend by PyTorch where there is a recording', async () => {
    const pkg = await openPackage(nodeFolder(TINY));
    const rows = await packageParity(pkg, ['ort'], { recording: RECORDING });
    const layers = pkg.model.world.layers.length;
    expect(rows).toHaveLength(2 * 3 * layers + 5);
    for (const row of rows) {
      expect(row).toMatchObject({ backend: 'ort', against: 'PyTorch' });
      expect(row.largest / row.scale, row.what).toBeLessThan(1e-5);
      expect(row.decibels, row.what).toBeGreaterThan(100);
    }
    const lines = formatParity(rows).split('\n');
    expect(lines).toHaveLength(rows.length + 1);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });

  it('shows how far 8-bit products are from the rest', async () => {
    const pkg = await openPackage(nodeFolder(TINY));
    const rows = await packageParity(pkg, ['ort-int8'], { recording: RECORDING });
    for (const row of rows) {
      expect(row).toMatchObject({ backend: 'ort-int8', against: 'PyTorch' });
      // Rounded, so not equal; but only rounded.
      expect(row.largest / row.scale, row.what).toBeLessThan(0.1);
      expect(row.largest / row.scale, row.what).toBeGreaterThan(1e-5);
    }
  });

  it('judges backends by the first one where there is none', async () => {
    const rows = await packageParity(await openPackage(nodeFolder(TINY)), ['ort', 'ort']);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.largest, row.what).toBe(0);
      expect(row.decibels, row.what).toBe(Infinity);
      expect(row.scale, row.what).toBeGreaterThan(0);
    }
  });

  it('shows a backend that does something else', async () => {
    const model = await tinyModel();
    const { input, trace } = recordedRollout(await tinyRecording(), model.world.spec.layers.length);
    const rows = await measureParity(
      [{ by: 'ort', world: model.world }],
      { ...input, seed: input.seed + 1 },
      trace,
    );
    const made = rows.filter((row) => row.what.startsWith('chunk made'));
    expect(made.every((row) => row.largest > 0.01 && row.decibels! < 40)).toBe(true);
    expect(rows.filter((row) => row.what.startsWith('primed')).every((row) => row.largest < 1e-3)).toBe(true);
    model.dispose();
  });
});
