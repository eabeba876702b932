import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

export interface DocumentCommand {
  readonly command: string;
  readonly works: boolean;
}

/** The lines of the blocks marked `sh works` and `sh refused` in a page of docs/. */
export function documentCommands(page: string): readonly DocumentCommand[] {
  const text = readFileSync(resolve(import.meta.dirname, '..', '..', 'docs', page), 'utf8');
  return [...text.matchAll(/^```sh (works|refused)\n(.*?)^```$/gms)].flatMap(([, kind, block = '']) =>
    block
      .split('\n')
      .filter((line) => line !== '')
      .map((command) => ({ command, works: kind === 'works' })),
  );
}
