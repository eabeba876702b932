import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startError } from './start-error.js';

/** Builds what is stale, with one line before and one after. Throws a StartError with the reason. */
export async function buildFirst({ root, node, environment, first }) {
  const missing = ['vite', 'rolldown'].filter((name) => !existsSync(join(root, 'node_modules', name)));
  if (missing.length > 0) {
    throw startError(
      `The page and the program must be built first, but ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} not installed.`,
      'Run "npm install" without --omit=dev.',
    );
  }
  const why = first ? 'first start, about 10 s' : 'something changed';
  process.stderr.write(`Building the page and the program (${why})...\n`);
  const began = performance.now();
  const { code, output } = await runBuild(root, node, environment);
  if (code !== 0) {
    process.stderr.write(output.replaceAll(/^(?=.)/gm, '  '));
    throw startError('The build failed; its words stand above.', 'Correct that, then start again.');
  }
  process.stderr.write(`Built in ${((performance.now() - began) / 1000).toFixed(1)} s.\n`);
}

function runBuild(root, node, environment) {
  return new Promise((resolve, reject) => {
    const build = spawn(node, [join(root, 'scripts', 'build.ts')], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [build.stdout, build.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    build.on('error', reject);
    build.on('close', (code) => resolve({ code, output }));
  });
}
