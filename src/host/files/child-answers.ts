import { AppError, type FileText } from '../../core/index.ts';
import type { FileAnswer, ListedEntry } from './protocol.ts';

export interface Listing {
  readonly entries: readonly ListedEntry[];
  readonly truncated: boolean;
}

/** The shapes of the child's answers, checked as everything that comes from outside. */
export function textAnswer(answer: FileAnswer): FileText {
  if ('text' in answer && typeof answer.text === 'string' && isCount(answer.bytes)) return answer;
  return nonsense();
}

export function bytesAnswer(answer: FileAnswer): { readonly bytes: number } {
  if ('bytes' in answer && isCount(answer.bytes)) return { bytes: answer.bytes };
  return nonsense();
}

export function listAnswer(answer: FileAnswer): Listing {
  if ('entries' in answer && Array.isArray(answer.entries) && typeof answer.truncated === 'boolean') {
    const entries: readonly unknown[] = answer.entries;
    if (entries.every(isEntry)) return { entries, truncated: answer.truncated };
  }
  return nonsense();
}

function isEntry(value: unknown): value is ListedEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { name, kind, bytes, modified } = value as Record<string, unknown>;
  return (
    typeof name === 'string' &&
    (kind === 'file' || kind === 'directory') &&
    isCount(bytes) &&
    typeof modified === 'string'
  );
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function nonsense(): never {
  throw new AppError({
    family: 'upstream',
    code: 'file_child_failed',
    message: 'The process that opens files gave an answer that makes no sense.',
  });
}
