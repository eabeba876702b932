// Guarantees: only files that were read at start are served, by exact name: a request never reaches the disk.
// An attacker may control: the path, which is only ever a key of a map.
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { PageFiles } from './ports.ts';

interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly accept: string;
  readonly acceptEncoding: string;
  readonly ifNoneMatch: string | undefined;
}

/** Answers for the page; undefined when there is nothing under this path. */
export type Page = (request: PageRequest) => Response | undefined;

const INDEX = 'index.html';
const ASSETS = 'assets/';
const MIN_GZIP_BYTES = 1024;

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  webmanifest: 'application/manifest+json; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2',
  txt: 'text/plain; charset=utf-8',
};
const PACKED = new Set(['html', 'js', 'css', 'json', 'svg', 'txt', 'webmanifest']);

const MISSING_BUILD = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>OpenPact</title></head>
<body><h1>The page is not built</h1>
<p>OpenPact runs, but the files of this page are missing. Stop it, run <code>npm run build</code>, start it again.</p>
</body></html>
`;

export function createPage(files: PageFiles): Page {
  const entries = new Map([...files].map(([name, file]) => [name, prepare(name, file.body)]));

  return ({ method, path, accept, acceptEncoding, ifNoneMatch }) => {
    if (method !== 'GET' && method !== 'HEAD') return undefined;
    const file = entries.get(path.slice(1));
    if (file) return send(file, acceptEncoding, ifNoneMatch);
    // Paths of the page itself: it routes them. Files that are missing stay missing.
    const pagePath = !path.startsWith(`/${ASSETS}`) && !/\.[a-z0-9]+$/i.test(path);
    if (!pagePath || !/\btext\/html\b|\*\/\*/.test(accept)) return undefined;
    const index = entries.get(INDEX);
    if (index) return send(index, acceptEncoding, ifNoneMatch);
    return new Response(MISSING_BUILD, {
      status: 503,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    });
  };
}

interface Entry {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly packed: Uint8Array<ArrayBuffer> | undefined;
  readonly type: string;
  readonly cache: string;
  readonly etag: string;
}

function prepare(name: string, source: Uint8Array): Entry {
  const body = new Uint8Array(source);
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  const pack = PACKED.has(ending) && body.length >= MIN_GZIP_BYTES;
  return {
    body,
    packed: pack ? new Uint8Array(gzipSync(body)) : undefined,
    type: TYPES[ending] ?? 'application/octet-stream',
    // Names below assets/ carry a hash of their content.
    cache: name.startsWith(ASSETS) ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
  };
}

function send(entry: Entry, acceptEncoding: string, ifNoneMatch: string | undefined): Response {
  const headers: Record<string, string> = {
    'cache-control': entry.cache,
    etag: entry.etag,
    vary: 'accept-encoding',
  };
  if (ifNoneMatch === entry.etag) return new Response(null, { status: 304, headers });
  headers['content-type'] = entry.type;
  if (entry.packed && /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(acceptEncoding)) {
    return new Response(entry.packed, { headers: { ...headers, 'content-encoding': 'gzip' } });
  }
  return new Response(entry.body, { headers });
}
