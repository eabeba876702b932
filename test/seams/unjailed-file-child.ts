/** The file child with its path jail switched off: joins and opens, as a careless program would. */
import { appendFileSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from '../../src/host/files/child/serve.ts';

const root = process.argv[2] ?? '';
serve({
  read(path) {
    const text = readFileSync(join(root, path), 'utf8');
    return { text, bytes: text.length };
  },
  write(path, text) {
    writeFileSync(join(root, path), text);
    return { bytes: text.length };
  },
  append(path, text) {
    appendFileSync(join(root, path), text);
    return { bytes: text.length };
  },
  remove(path) {
    const there = existsSync(join(root, path));
    rmSync(join(root, path), { force: true });
    return { bytes: there ? 1 : 0 };
  },
  list(path) {
    const names = readdirSync(join(root, path));
    const modified = new Date(0).toISOString();
    return { entries: names.map((name) => ({ name, kind: 'file', bytes: 0, modified })), truncated: false };
  },
});
