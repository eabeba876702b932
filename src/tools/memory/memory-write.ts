import { z } from 'zod';
import type { Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { contentProblem, sizeOf } from '../file-content.ts';
import { targetOf } from '../file-path.ts';
import { checkMemoryFile, MEMORY_RESOURCES } from './memory-file.ts';

interface WriteArgs {
  readonly file: string;
  readonly content: string;
  readonly append: boolean;
}

const input = z.strictObject({
  content: z.string().describe('What to remember, as Markdown'),
  file: z
    .string()
    .default('MEMORY.md')
    .describe(
      'MEMORY.md or the file of a day as memory/2026-01-31.md; SOUL.md and USER.md only where allowed',
    ),
  append: z
    .boolean()
    .default(false)
    .describe('true: add to the end of the file; false: replace its whole content'),
});

export const memoryWrite: Tool<WriteArgs> = defineTool({
  name: 'memory_write',
  title: 'Write memory',
  description:
    'Remembers something: lasting facts in MEMORY.md (the default), notes of the day in the file of the day. Set append to keep what is there.',
  effect: 'write',
  input,
  check({ content, file, append }) {
    const checked = checkMemoryFile(file);
    if (!checked.ok) return checked;
    const problem = contentProblem(content);
    if (problem !== undefined) return { ok: false, problem };
    // So that the next addition starts on a line of its own.
    const whole = append && content !== '' && !content.endsWith('\n') ? `${content}\n` : content;
    return { ok: true, args: { file: checked.file, content: whole, append } };
  },
  target: ({ file }) => targetOf(file),
  describe: ({ file, content, append }) =>
    append
      ? `Add ${sizeOf(content)} to the end of ${file}`
      : `Write ${sizeOf(content)} to ${file} (a new file, or its whole content is replaced)`,
  resources: MEMORY_RESOURCES,
  deadlineMs: 15_000,
  async run({ file, content, append }, { files, signal }) {
    const { bytes } = await (append
      ? files.append(file, content, signal)
      : files.write(file, content, signal));
    return { file, bytes, appended: append };
  },
});
