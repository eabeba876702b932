import { existsSync } from 'node:fs';
import type { FileRule, Fences } from './types.ts';

export interface NodeFencesInput {
  /** Files and folders, absolute: the bundle to run among them. */
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  /** The program, by default the Node that runs us. */
  readonly node?: string | undefined;
}

/**
 * The least that Node 24 starts and works with, and no network. Found by trying; docs/isolation.md tells what Node loses
 * without /proc (process.memoryUsage, os.userInfo) and by seccomp (fs.copyFile, fs.utimes, fs.watch, child processes).
 */
export function nodeFences({ read = [], write = [], node = process.execPath }: NodeFencesInput): Fences {
  return {
    network: 'none',
    files: [
      { path: node, access: 'rox' },
      ...systemLibraries(),
      // Unreadable, it ends Node with exit 13. The folder beside it may hold private keys.
      { path: '/etc/ssl/openssl.cnf', access: 'ro', optional: true },
      { path: '/dev/null', access: 'rw', optional: true },
      ...read.map((path): FileRule => ({ path, access: 'ro' })),
      ...write.map((path): FileRule => ({ path, access: 'rw' })),
    ],
  };
}

/** What any dynamically linked program needs. Libraries are mapped, not executed: only the loader is. */
export function systemLibraries(): FileRule[] {
  const [triplet, loader] =
    process.arch === 'arm64'
      ? ['aarch64-linux-gnu', '/lib/ld-linux-aarch64.so.1']
      : ['x86_64-linux-gnu', '/lib64/ld-linux-x86-64.so.2'];
  const folders = [`/usr/lib/${triplet}`, `/lib/${triplet}`, '/usr/lib64', '/lib64'];
  // Debian keeps libraries in a folder per architecture; others directly in /usr/lib.
  if (!existsSync(`/usr/lib/${triplet}`)) folders.push('/usr/lib', '/lib');
  return [
    { path: loader, access: 'rox', optional: true },
    { path: '/etc/ld.so.cache', access: 'ro', optional: true },
    ...folders.map((path): FileRule => ({ path, access: 'ro', optional: true })),
  ];
}
