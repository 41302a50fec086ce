import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveStudio } from '../../scripts/start.mjs';

/** A request with the path and the host sent exactly as given. */
function get(url: string, path: string, host?: string, method = 'GET') {
  const { hostname, port } = new URL(url);
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      const call = request({ hostname, port, path, method, headers: host ? { host } : {} }, (response) => {
        let body = '';
        response.on('data', (part: Buffer) => (body += part.toString()));
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      });
      call.on('error', reject);
      call.end();
    },
  );
}

describe('the server of Studio', () => {
  const folder = mkdtempSync(join(tmpdir(), 'longtake-server-'));
  let server: Awaited<ReturnType<typeof serveStudio>>;

  beforeAll(async () => {
    mkdirSync(join(folder, 'site'));
    mkdirSync(join(folder, 'site-two'));
    mkdirSync(join(folder, 'my-model'));
    writeFileSync(join(folder, 'site', 'index.html'), '<!doctype html>');
    writeFileSync(join(folder, 'site', '.secret'), 'hidden');
    writeFileSync(join(folder, 'site-two', 'other.txt'), 'outside');
    writeFileSync(join(folder, 'my-model', 'model.json'), '{"name":"m"}');
    writeFileSync(join(folder, 'my-model', 'weights.safetensors'), 'weights');
    server = await serveStudio({ site: join(folder, 'site'), model: join(folder, 'my-model') });
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives the page isolated, and the model beside it', async () => {
    const page = await get(server.url, '/');
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-embedder-policy': 'require-corp',
    });
    const config = await get(server.url, '/longtake.config.json');
    expect(JSON.parse(config.body)).toEqual({ model: '/models/my-model/' });
    const model = await get(server.url, '/models/my-model/weights.safetensors');
    expect(model).toMatchObject({ status: 200, body: 'weights' });
    expect(model.headers['content-type']).toBe('application/octet-stream');
  });

  it('gives nothing else', async () => {
    for (const path of [
      '/../site-two/other.txt',
      '/%2e%2e/site-two/other.txt',
      '/..%2fsite-two%2fother.txt',
      '/models/my-model/../../site-two/other.txt',
      '/models/my-model/..%2f..%2fsite-two%2fother.txt',
      '/.secret',
      '/%',
      '/%00',
      '/nothing.js',
      '/models/',
    ]) {
      expect((await get(server.url, path)).status, path).toBe(404);
    }
    expect((await get(server.url, '/', 'evil.example')).status).toBe(403);
    expect((await get(server.url, '/', 'localhost:1')).status).toBe(200);
    expect((await get(server.url, '/', undefined, 'POST')).status).toBe(405);
  });
});
