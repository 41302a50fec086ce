import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LongtakeError } from '../../types.ts';
import type { Arithmetic } from './kernel-choice.ts';
import type { KernelSources } from './preprocess.ts';
import type { TilesStore } from './tune.ts';

const KERNELS = new URL('../../../../kernels/', import.meta.url);

/** Where Debian's Chromium and Chrome's package keep a software rasteriser that Dawn can use. */
const SOFTWARE_DRIVERS = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/** Reads every file of kernels/. */
export async function loadKernelSources(): Promise<KernelSources> {
  const names = (await readdir(KERNELS)).filter((name) => name.endsWith('.wgsl'));
  return new Map(
    await Promise.all(
      names.map(async (name) => [name, await readFile(new URL(name, KERNELS), 'utf8')] as const),
    ),
  );
}

/** Kept for the life of the process: Dawn's node binding fails when an object is collected while in use. */
const kept: GPU[] = [];
let opened: GPU | undefined;

/**
 * Dawn leaves workgroup memory as it finds it. Our kernels write it before they read it, and clearing it is most of the
 * time that a software rasteriser takes to compile a kernel. LONGTAKE_DAWN_FEATURES names more of Dawn's switches
 * (comma-separated), e.g. allow_unsafe_apis,vulkan_enable_f16_on_nvidia for f16 and matrix units on NVIDIA cards.
 */
const FEATURES = ['disable_workgroup_init', ...(process.env['LONGTAKE_DAWN_FEATURES']?.split(',') ?? [])];
// Timestamps are rounded to 100 µs, a measure against spying web pages, unless Dawn is told not to.
const FLAGS = [`enable-dawn-features=${FEATURES.join(',')}`, 'disable-dawn-features=timestamp_quantization'];

/**
 * Dawn's WebGPU.
 * @param options.software when there is no graphics device, use Chromium's software rasteriser if it is installed
 */
export async function openGpu(options: { software?: boolean } = {}): Promise<GPU | undefined> {
  opened ??= await createGpu(FLAGS);
  if (!options.software || (await opened.requestAdapter())) return opened;
  const driver = SOFTWARE_DRIVERS.find((path) => existsSync(path));
  if (!driver || process.env['VK_ICD_FILENAMES']) return opened;
  process.env['VK_ICD_FILENAMES'] = driver;
  opened = await createGpu(FLAGS);
  return opened;
}

/**
 * Files in the user's cache folder. A cache only: what can not be read is not there, what can not be written is not kept.
 * @param folder XDG_CACHE_HOME or ~/.cache unless given
 */
export function tilesStore(
  folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'longtake'),
): TilesStore {
  const path = (file: string): string => join(folder, encodeURIComponent(file));
  return {
    read: (file) => readFile(path(file)).catch(() => null),
    async write(file, bytes) {
      const part = `${path(file)}.${process.pid}.part`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(part, bytes);
        await rename(part, path(file));
      } catch {
        // A folder that can not be written costs the next load a second.
      }
    },
  };
}

const ARITHMETICS: readonly string[] = ['f32', 'f16', 'matrix-units'] satisfies Arithmetic[];

/**
 * What LONGTAKE_ARITHMETIC asks for (f32, f16, matrix-units); undefined when it is not set.
 * @throws LongtakeError `usage` when it is something else
 */
export function arithmeticAskedFor(): Arithmetic | undefined {
  const asked = process.env['LONGTAKE_ARITHMETIC'];
  if (!asked) return undefined;
  if (ARITHMETICS.includes(asked)) return asked as Arithmetic;
  throw new LongtakeError('usage', `LONGTAKE_ARITHMETIC must be f32, f16 or matrix-units, not “${asked}”.`);
}

/** A WebGPU that checks shaders and calls but runs nothing. */
export function openCheckingGpu(): Promise<GPU> {
  return createGpu(['backend=null', 'enable-dawn-features=allow_unsafe_apis']);
}

async function createGpu(flags: string[]): Promise<GPU> {
  // Unset, the Vulkan loader complains on stderr.
  process.env['XDG_RUNTIME_DIR'] ??= tmpdir();
  const { create, globals } = await import('webgpu');
  Object.assign(globalThis, globals);
  const gpu = create(flags);
  kept.push(gpu);
  return gpu;
}
