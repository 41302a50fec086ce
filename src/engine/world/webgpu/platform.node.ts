import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { KernelSources } from './preprocess.ts';

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
