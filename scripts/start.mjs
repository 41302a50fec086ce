// Builds Studio and serves it on loopback: `npm start -- [--port N] [--model DIR] [--no-build]`.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join, normalize, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureInstalled, fail, root, runBin } from './setup.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.md': 'text/markdown; charset=utf-8',
};

/** Isolation lets the WebAssembly backend use threads; nothing is ever fetched from another origin. */
const HEADERS = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

/** The file behind a request path, or null where the path leaves its folder or has hidden parts. */
function fileFor(pathname, folders) {
  let path;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (path.includes('\0') || path.split('/').some((part) => part.startsWith('.'))) return null;
  for (const [prefix, folder] of folders) {
    if (!path.startsWith(prefix)) continue;
    const file = normalize(join(folder, path.slice(prefix.length) || 'index.html'));
    return file.startsWith(folder + sep) ? file : null;
  }
  return null;
}

/**
 * Serves Studio.
 * @param {{ port?: number, model?: string, site?: string }} options port 0 takes a free one; `model` is the folder of
 *   the world-model package, `site` the built page
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export async function serveStudio({
  port = 0,
  model = join(root, 'models', 'maze-64'),
  site = join(root, 'dist', 'studio'),
} = {}) {
  const models = `/models/${basename(resolve(model))}/`;
  const folders = [
    [models, resolve(model)],
    ['/', resolve(site)],
  ];
  // The page looks up here which model it has (src/panel/worker-engine.ts).
  const config = JSON.stringify({ model: models });
  const server = createServer(async (request, response) => {
    const send = (status, text) => {
      response.writeHead(status, { ...HEADERS, 'Content-Type': 'text/plain; charset=utf-8' });
      response.end(text);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, 'Only GET.');
    // A page elsewhere must not reach this server under a name of its own.
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? ''))
      return send(403, 'Only on loopback.');
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/longtake.config.json') {
      response.writeHead(200, { ...HEADERS, 'Content-Type': TYPES['.json'] });
      return response.end(config);
    }
    const file = fileFor(pathname, folders);
    const facts = file ? await stat(file).catch(() => null) : null;
    if (!file || !facts?.isFile()) return send(404, 'Not found.');
    const type = TYPES[file.slice(file.lastIndexOf('.'))] ?? 'application/octet-stream';
    response.writeHead(200, { ...HEADERS, 'Content-Type': type, 'Content-Length': facts.size });
    if (request.method === 'HEAD') return response.end();
    const stream = createReadStream(file);
    stream.on('error', () => response.destroy());
    response.on('close', () => stream.destroy());
    return stream.pipe(response);
  });
  await new Promise((ready, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', ready);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

/** Serves on the wanted port, or on a free one where it is taken. */
async function serveSomewhere(options) {
  try {
    return await serveStudio(options);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    return serveStudio({ ...options, port: 0 });
  }
}

async function main() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: 'string', default: '5178' },
        model: { type: 'string' },
        'no-build': { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    fail(`${error.message} Options: --port N, --model DIR, --no-build.`);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) fail(`“${values.port}” is no port number.`);
  ensureInstalled();
  if (!values['no-build']) {
    console.log('Building Studio…');
    if (runBin('webpack', ['--config-name', 'studio']) !== 0)
      fail('Studio could not be built; see the lines above.');
  }
  const server = await serveSomewhere({ port, ...(values.model ? { model: values.model } : {}) });
  console.log(`Longtake Studio: ${server.url}`);
  const stop = () => server.close().then(() => process.exit(0));
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

if (process.argv[1] && resolve(process.argv[1]) === join(root, 'scripts', 'start.mjs')) await main();
