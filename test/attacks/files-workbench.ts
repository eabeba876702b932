import { noScripts, OWNER } from '../fakes/workbench.ts';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { AppError, type Json } from '../../src/core/index.ts';
import { createFileChild, type FileChild } from '../../src/host/files/index.ts';
import { createLauncher } from '../../src/host/process/index.ts';
import { createTools } from '../../src/tools/index.ts';
import { createUnfencedLauncher } from '../seams/unfenced-launcher.ts';

export const SECRET = 'the-key-in-secure-config';
const repository = resolve(import.meta.dirname, '../..');
const tools = new Map(createTools().map((tool) => [tool.name, tool]));

/** Which controls stand between a path and the disk. */
export interface Controls {
  readonly jail: boolean;
  readonly fence: boolean;
}
export const ALL_ON: Controls = { jail: true, fence: true };
export const JAIL_OFF: Controls = { jail: false, fence: true };
export const FENCE_OFF: Controls = { jail: true, fence: false };
export const BOTH_OFF: Controls = { jail: false, fence: false };

export interface FilesBench {
  readonly root: string;
  readonly aiData: string;
  readonly secret: string;
  files(controls: Controls): FileChild;
  /** Through the tool as the gate calls it: a refusal of the arguments, an error, or the result. */
  tool(name: string, args: unknown, controls?: Controls): Promise<Json>;
  close(): Promise<void>;
}

/** A workspace on the disk with a secret beside `ai-data/`, and file children with the controls that are asked for. */
export function createFilesBench(): FilesBench {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'openpact-files-')));
  const aiData = join(root, 'ai-data');
  const secret = join(root, 'secure/config.yaml');
  mkdirSync(join(aiData, 'memory'), { recursive: true });
  mkdirSync(join(aiData, 'notes'));
  mkdirSync(join(root, 'secure'), { mode: 0o700 });
  mkdirSync(join(root, 'ai-data-x'));
  writeFileSync(secret, SECRET, { mode: 0o600 });
  writeFileSync(join(root, 'ai-data-x/config.yaml'), SECRET);
  writeFileSync(join(aiData, 'notes/config.yaml'), 'harmless');
  const children = new Map<string, FileChild>();

  function files(controls: Controls): FileChild {
    const key = `${controls.jail}/${controls.fence}`;
    const known = children.get(key);
    if (known) return known;
    const made = createFileChild({
      launcher: controls.fence ? createLauncher() : createUnfencedLauncher(),
      entry: join(
        repository,
        controls.jail ? 'src/host/files/child/main.ts' : 'test/seams/unjailed-file-child.ts',
      ),
      read: [join(repository, 'src'), join(repository, 'package.json')],
      root: aiData,
    });
    children.set(key, made);
    return made;
  }

  return {
    root,
    aiData,
    secret,
    files,
    async tool(name, args, controls = ALL_ON) {
      const tool = tools.get(name);
      if (tool === undefined) throw new Error(name);
      const parsed = tool.parse(args);
      if (!parsed.ok) return { refused: parsed.problem };
      const context = {
        files: files(controls),
        clock: { now: () => Date.now() },
        scripts: noScripts,
        caller: { principal: OWNER, origin: 'page' as const },
        signal: new AbortController().signal,
      };
      try {
        return await tool.run(parsed.args as never, context);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { refused: error.message, code: error.code };
      }
    },
    async close() {
      for (const child of children.values()) await child.stop();
      rmSync(root, { recursive: true });
    },
  };
}

/** The code of the refusal, or what was answered. */
export async function outcome(act: Promise<unknown>): Promise<unknown> {
  try {
    return await act;
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
