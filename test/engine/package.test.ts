import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  LongtakeError,
  listPackages,
  loadOnBackend,
  nodeFolder,
  openPackage,
  validateModelJson,
} from '../../src/engine/node.ts';
import type { ModelJson, PackageProgress, PackageSource } from '../../src/engine/node.ts';
import { TINY } from './tiny.ts';

let root: string;
let folder: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'longtake-package-'));
  folder = join(root, 'tiny');
  await cp(TINY, folder, { recursive: true });
});

afterEach(() => rm(root, { recursive: true }));

async function failure(): Promise<LongtakeError> {
  return openPackage(nodeFolder(folder)).then(
    () => expect.unreachable('the package opened'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(LongtakeError);
      return error as LongtakeError;
    },
  );
}

async function modelJson(): Promise<ModelJson> {
  return JSON.parse(await readFile(join(folder, 'model.json'), 'utf8')) as ModelJson;
}

describe('openPackage', () => {
  it('reads every file and reports progress up to the end', async () => {
    const progress: PackageProgress[] = [];
    const pkg = await openPackage(nodeFolder(folder), { onProgress: (step) => progress.push(step) });
    expect(pkg.model.name).toBe('tiny');
    expect(pkg.file('weights.safetensors').byteLength).toBe(
      pkg.model.files.find((file) => file.path === 'weights.safetensors')!.bytes,
    );
    const done = progress.map((step) => step.bytesDone);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(progress[0]!.bytesTotal);
    expect(() => pkg.file('other.bin')).toThrow(LongtakeError);
  });

  it('finds one flipped bit in any file, and names the file', async () => {
    for (const { path, bytes } of (await modelJson()).files) {
      const file = join(folder, path);
      const original = await readFile(file);
      const changed = Buffer.from(original);
      changed[Math.floor(bytes / 2)]! ^= 1;
      await writeFile(file, changed);
      const error = await failure();
      expect(error.code).toBe('package');
      expect(error.message).toContain(path);
      await writeFile(file, original);
    }
  });

  it('names a file that is missing or cut short', async () => {
    await writeFile(join(folder, 'denoise.onnx'), (await readFile(join(folder, 'denoise.onnx'))).subarray(1));
    expect((await failure()).message).toContain('denoise.onnx');
    await rm(join(folder, 'denoise.onnx'));
    const error = await failure();
    expect(error.code).toBe('package');
    expect(error.message).toContain('denoise.onnx');
  });

  it('says what is wrong with model.json', async () => {
    for (const text of ['', '{', '[]', 'null', '{"formatVersion":1}', '\u0000']) {
      await writeFile(join(folder, 'model.json'), text);
      const error = await failure();
      expect(error.code, text).toBe('package');
      expect(error.message, text).toContain('model.json');
    }
    await rm(folder, { recursive: true });
    expect((await failure()).message).toContain('model.json');
  });

  it('stops when it is cancelled', async () => {
    const abort = new AbortController();
    const opening = openPackage(nodeFolder(folder), {
      signal: abort.signal,
      onProgress: () => abort.abort(),
    });
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('reads past a cache that holds a damaged file', async () => {
    const fresh = nodeFolder(folder);
    const source: PackageSource = {
      label: 'cache',
      read: async (path, options) => {
        const bytes = await fresh.read(path, options);
        return path === 'model.json' ? bytes : bytes.map((byte, index) => (index === 9 ? byte ^ 4 : byte));
      },
      readFresh: (path, options) => fresh.read(path, options),
    };
    expect((await openPackage(source)).model.name).toBe('tiny');
  });
});

describe('validateModelJson', () => {
  const cases: [string, (model: Record<string, never> & ModelJson) => void][] = [
    ['formatVersion', (model) => Object.assign(model, { formatVersion: 2 })],
    ['name', (model) => Object.assign(model, { name: 7 })],
    ['rate.num', (model) => (model.rate.num = 0)],
    ['frame.width', (model) => (model.frame.width = 1.5)],
    ['camera.verticalFov', (model) => (model.camera.verticalFov = 180)],
    ['codec.kind', (model) => Object.assign(model.codec, { kind: 'magic' })],
    ['world.grid', (model) => (model.world.grid.rows = 8)],
    ['world.latentChannels', (model) => (model.world.latentChannels = 7)],
    ['world.layers', (model) => (model.world.layers = [])],
    ['world.layers[0].kind', (model) => Object.assign(model.world.layers[0]!, { kind: 'lstm' })],
    ['world.layers[0].block', (model) => (model.world.layers[0]!.block = [3, 3])],
    ['world.attention.heads', (model) => (model.world.attention.heads = 3)],
    ['world.attention.rope', (model) => model.world.attention.rope.time.push(1)],
    ['sampler.levels.1', (model) => (model.sampler.levels['1'] = [1, 0.5])],
    ['tasks[0]', (model) => Object.assign(model.tasks, { 0: 'dance' })],
    ['files[0].sha256', (model) => (model.files[0]!.sha256 = 'abc')],
    ['files[0].path', (model) => (model.files[0]!.path = '../../etc/passwd')],
    ['files', (model) => (model.files = model.files.filter((file) => file.path !== 'commit.onnx'))],
  ];

  it.each(cases)('refuses a wrong %s', async (field, spoil) => {
    const model = (await modelJson()) as Record<string, never> & ModelJson;
    expect(validateModelJson(model)).toEqual(model);
    spoil(model);
    expect(() => validateModelJson(model)).toThrow(`in model.json, ${field} `);
  });
});

describe('listPackages', () => {
  it('lists good and bad packages, and nothing for a folder that is not there', async () => {
    await cp(TINY, join(root, 'bad'), { recursive: true });
    await writeFile(join(root, 'bad', 'model.json'), '{}');
    const [bad, good] = await listPackages(root);
    expect(bad).toMatchObject({ name: 'bad', error: { code: 'package' } });
    expect(good).toMatchObject({ name: 'tiny', model: { name: 'tiny' } });
    expect(await listPackages(join(root, 'nowhere'))).toEqual([]);
  });
});

describe('loadOnBackend', () => {
  it('takes the first backend that works and says why when none does', async () => {
    const pkg = await openPackage(nodeFolder(folder));
    const broken = {
      name: 'webgpu' as const,
      unavailable: async () => 'there is no graphics device',
      load: () => expect.unreachable(),
    };
    const failing = {
      name: 'ort' as const,
      unavailable: async () => null,
      load: () => Promise.reject(new LongtakeError('backend', 'Too little memory.')),
    };
    const error = await loadOnBackend(pkg, [broken, failing]).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'backend' });
    expect(String(error)).toContain('there is no graphics device');
    expect(String(error)).toContain('Too little memory.');
    await expect(loadOnBackend(pkg, [failing], { backend: 'webgpu' })).rejects.toMatchObject({
      code: 'backend',
    });
  });
});
