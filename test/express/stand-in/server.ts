import { readFile, stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright';
import ts from 'typescript';

const here = fileURLToPath(new URL('.', import.meta.url));
const SDK_URL = 'https://new.express.adobe.com/static/add-on-sdk/sdk.js';
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.mp4': 'video/mp4',
};

export interface StandInServer {
  /** Address of the host page; the add-on lives on another origin. */
  url: string;
  close(): Promise<void>;
}

/**
 * Serves the host page on one loopback origin and a built add-on on another, with the headers of the real ones.
 * @param page the file that a rendition of the page gives
 */
export async function startStandIn(options: { addOn: string; page: string }): Promise<StandInServer> {
  const addOn = await listen(async (request, response) => {
    const file = normalize(join(options.addOn, new URL(request.url!, 'http://x').pathname));
    const target = file.endsWith(sep) ? join(file, 'index.html') : file;
    const found = target.startsWith(options.addOn) && (await stat(target).catch(() => null))?.isFile();
    answer(response, found ? await readFile(target) : null, extname(target), {
      'Cross-Origin-Embedder-Policy': 'credentialless',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
  });
  // 127.0.0.1 and localhost are different sites, so the iframe is as foreign as it is in Express.
  const addOnUrl = `http://localhost:${port(addOn)}/`;
  const host = await listen(async (request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    const headers = {
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'credentialless',
    };
    if (path === '/') {
      const html = await readFile(join(here, 'host.html'), 'utf8');
      answer(response, html.replace('ADD_ON_URL', addOnUrl), '.html', headers);
    } else if (path === '/host-page.js') {
      answer(response, await script('host-page.ts'), '.js', headers);
    } else {
      answer(response, path === '/page.mp4' ? await readFile(options.page) : null, extname(path), headers);
    }
  });
  return {
    url: `http://127.0.0.1:${port(host)}/`,
    close: async () => {
      await Promise.all(
        [host, addOn].map((server) => new Promise((done) => server.close(done).closeAllConnections())),
      );
    },
  };
}

/** Puts the stand-in's SDK module where the add-on imports Adobe's from; nothing else reaches the network. */
export async function installSdk(context: BrowserContext): Promise<void> {
  const body = await script('sdk-module.ts');
  await context.route(/^https:/, (route) =>
    route.request().url() === SDK_URL
      ? route.fulfill({
          body,
          contentType: 'text/javascript',
          headers: { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' },
        })
      : route.abort(),
  );
}

async function script(name: string): Promise<string> {
  const source = await readFile(join(here, name), 'utf8');
  return ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  }).outputText;
}

function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((request, response) => {
    handler(request, response).catch(() => response.destroy());
  });
  return new Promise((ready) => server.listen(0, () => ready(server)));
}

const port = (server: Server) => (server.address() as AddressInfo).port;

function answer(
  response: ServerResponse,
  body: Buffer | string | null,
  extension: string,
  headers: Record<string, string>,
): void {
  response.writeHead(body === null ? 404 : 200, {
    ...headers,
    'Content-Type': TYPES[extension] ?? 'application/octet-stream',
    'Cache-Control': 'no-store',
  });
  response.end(body ?? 'Not found.');
}
