import activation from '../../../../kernels/activation.wgsl?raw';
import attentionDirect from '../../../../kernels/attention-direct.wgsl?raw';
import attentionUnits from '../../../../kernels/attention-units.wgsl?raw';
import attention from '../../../../kernels/attention.wgsl?raw';
import blocks from '../../../../kernels/blocks.wgsl?raw';
import cacheStore from '../../../../kernels/cache-store.wgsl?raw';
import gatedDelta from '../../../../kernels/gated-delta.wgsl?raw';
import launch from '../../../../kernels/launch.wgsl?raw';
import matmulHeadGate from '../../../../kernels/matmul-head-gate.wgsl?raw';
import matmulHeads from '../../../../kernels/matmul-heads.wgsl?raw';
import matmulModulate from '../../../../kernels/matmul-modulate.wgsl?raw';
import matmulPackedRows from '../../../../kernels/matmul-packed-rows.wgsl?raw';
import matmulPacked from '../../../../kernels/matmul-packed.wgsl?raw';
import matmulParts from '../../../../kernels/matmul-parts.wgsl?raw';
import matmulPlain from '../../../../kernels/matmul-plain.wgsl?raw';
import matmulUnits from '../../../../kernels/matmul-units.wgsl?raw';
import matmul from '../../../../kernels/matmul.wgsl?raw';
import matrixUnitsEnable from '../../../../kernels/matrix-units-enable.wgsl?raw';
import matrixUnits from '../../../../kernels/matrix-units.wgsl?raw';
import narrow from '../../../../kernels/narrow.wgsl?raw';
import noise from '../../../../kernels/noise.wgsl?raw';
import packRows from '../../../../kernels/pack-rows.wgsl?raw';
import packed from '../../../../kernels/packed.wgsl?raw';
import pointFeatures from '../../../../kernels/point-features.wgsl?raw';
import random from '../../../../kernels/random.wgsl?raw';
import rayFeatures from '../../../../kernels/ray-features.wgsl?raw';
import scan from '../../../../kernels/scan.wgsl?raw';
import ssdRead from '../../../../kernels/ssd-read.wgsl?raw';
import ssdScoresRead from '../../../../kernels/ssd-scores-read.wgsl?raw';
import ssdScoresShape from '../../../../kernels/ssd-scores-shape.wgsl?raw';
import ssdScoresWrite from '../../../../kernels/ssd-scores-write.wgsl?raw';
import ssdScores from '../../../../kernels/ssd-scores.wgsl?raw';
import ssdTiles from '../../../../kernels/ssd-tiles.wgsl?raw';
import ssdWrite from '../../../../kernels/ssd-write.wgsl?raw';
import ssd from '../../../../kernels/ssd.wgsl?raw';
import trigonometry from '../../../../kernels/trigonometry.wgsl?raw';
import { OpfsCache } from '../../package/opfs-cache.ts';
import type { KernelSources } from './preprocess.ts';
import type { TilesStore } from './tune.ts';

/** Every file of kernels/, bundled as text. */
export async function loadKernelSources(): Promise<KernelSources> {
  return new Map([
    ['activation.wgsl', activation],
    ['attention-direct.wgsl', attentionDirect],
    ['attention-units.wgsl', attentionUnits],
    ['attention.wgsl', attention],
    ['blocks.wgsl', blocks],
    ['cache-store.wgsl', cacheStore],
    ['gated-delta.wgsl', gatedDelta],
    ['launch.wgsl', launch],
    ['matmul-head-gate.wgsl', matmulHeadGate],
    ['matmul-heads.wgsl', matmulHeads],
    ['matmul-modulate.wgsl', matmulModulate],
    ['matmul-packed-rows.wgsl', matmulPackedRows],
    ['matmul-packed.wgsl', matmulPacked],
    ['matmul-parts.wgsl', matmulParts],
    ['matmul-plain.wgsl', matmulPlain],
    ['matmul-units.wgsl', matmulUnits],
    ['matmul.wgsl', matmul],
    ['matrix-units-enable.wgsl', matrixUnitsEnable],
    ['matrix-units.wgsl', matrixUnits],
    ['narrow.wgsl', narrow],
    ['noise.wgsl', noise],
    ['pack-rows.wgsl', packRows],
    ['packed.wgsl', packed],
    ['point-features.wgsl', pointFeatures],
    ['random.wgsl', random],
    ['ray-features.wgsl', rayFeatures],
    ['scan.wgsl', scan],
    ['ssd-read.wgsl', ssdRead],
    ['ssd-scores-read.wgsl', ssdScoresRead],
    ['ssd-scores-shape.wgsl', ssdScoresShape],
    ['ssd-scores-write.wgsl', ssdScoresWrite],
    ['ssd-scores.wgsl', ssdScores],
    ['ssd-tiles.wgsl', ssdTiles],
    ['ssd-write.wgsl', ssdWrite],
    ['ssd.wgsl', ssd],
    ['trigonometry.wgsl', trigonometry],
  ]);
}

/** The browser's WebGPU; undefined where it has none (or the page is not a secure context). */
export async function openGpu(): Promise<GPU | undefined> {
  return (navigator as { gpu?: GPU }).gpu;
}

/** Files in the browser's origin-private file system. */
export function tilesStore(): TilesStore {
  return new OpfsCache('tuning', 'tiles');
}
