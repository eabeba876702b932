import { AppError } from '../../core/index.ts';

/** SQLite's primary result codes of a disk that does not take what we write. */
const CAUSES: Readonly<
  Record<number, { readonly code: string; readonly why: string; readonly fix: string }>
> = {
  8: {
    code: 'storage_read_only',
    why: 'the disk or the file is read-only',
    fix: 'Make the workspace writable again.',
  },
  10: { code: 'storage_failed', why: 'the disk reports an error', fix: 'Check the disk and its messages.' },
  13: { code: 'storage_full', why: 'the disk is full', fix: 'Free some space, then try again.' },
};

/** The error for a person, or undefined when it was not the disk (config: `storage_full`, `storage_read_only`, `storage_failed`). */
export function storageFailure(error: unknown): AppError | undefined {
  const errcode = (error as { errcode?: unknown } | null)?.errcode;
  const cause = typeof errcode === 'number' ? CAUSES[errcode % 256] : undefined;
  if (!cause) return undefined;
  return new AppError({
    family: 'config',
    code: cause.code,
    message: `Nothing could be stored: ${cause.why}.`,
    fix: cause.fix,
    cause: error,
  });
}
