import { z } from 'zod';
import { AppError, type Tool } from '../../core/index.ts';
import { defineTool } from '../define-tool.ts';
import { targetOf } from '../file-path.ts';
import { checkMemoryFile, MEMORY_RESOURCES } from './memory-file.ts';

interface ReadArgs {
  readonly file: string;
}

const input = z.strictObject({
  file: z
    .string()
    .default('MEMORY.md')
    .describe('MEMORY.md, SOUL.md, USER.md or the file of a day as memory/2026-01-31.md'),
});

export const memoryRead: Tool<ReadArgs> = defineTool({
  name: 'memory_read',
  title: 'Read memory',
  description:
    'Reads what is remembered: MEMORY.md (lasting facts, the default), the notes of a day, SOUL.md (who you are) or USER.md (who the owner is).',
  effect: 'read',
  input,
  check({ file }) {
    const checked = checkMemoryFile(file);
    return checked.ok ? { ok: true, args: { file: checked.file } } : checked;
  },
  target: ({ file }) => targetOf(file),
  describe: ({ file }) => `Read ${file}`,
  resources: MEMORY_RESOURCES,
  deadlineMs: 15_000,
  async run({ file }, { files, signal }) {
    try {
      const { text, bytes } = await files.read(file, signal);
      return { file, exists: true, bytes, content: text };
    } catch (error) {
      // A day without notes is nothing wrong.
      if (error instanceof AppError && error.family === 'missing') {
        return { file, exists: false, bytes: 0, content: '' };
      }
      throw error;
    }
  },
});
