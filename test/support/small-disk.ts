/** Disks for tests, small enough to be filled and real enough to fail. They are mounted, so they need root, as CI has. */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** Why no disk can be mounted here; undefined where it can. */
export function noDisksBecause(): string | undefined {
  if (process.platform !== 'linux') return 'only Linux has the disks that this test mounts';
  if (process.getuid?.() !== 0) return 'mounting a disk needs root';
  return undefined;
}

const run = (command: string, ...args: string[]): string => ended(command, args, 0);
/** A check of a file system ends with 1 when it has mended what was wrong. */
const mend = (command: string, ...args: string[]): string => ended(command, args, 1);

function ended(command: string, args: readonly string[], worst: number): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== null && status <= worst) return stdout.trim();
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}

/** Children of a program that was killed take a moment to end, on a slow machine a second or two. */
function unmount(folder: string): void {
  for (let tries = 0; ; tries += 1) {
    try {
      run('umount', folder);
      return;
    } catch (error) {
      if (tries === 100 || !String(error).includes('busy')) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
}

export interface SmallDisk {
  readonly folder: string;
  /** Takes all the space that is left. */
  fill(): void;
  /** Gives it back. */
  free(): void;
  remove(): void;
}

/** A file system in memory. */
export function smallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'openpact-disk-'));
  run('mount', '-t', 'tmpfs', '-o', `size=${bytes},mode=0700`, 'openpact-test', folder);
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const fd = openSync(filler, 'a');
      try {
        for (const chunk of [Buffer.alloc(256 * 1024), Buffer.alloc(4096)]) {
          for (let full = false; !full;) {
            try {
              full = writeSync(fd, chunk) < chunk.length;
            } catch (error) {
              if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
              full = true;
            }
          }
        }
      } finally {
        closeSync(fd);
      }
    },
    free: () => rmSync(filler, { force: true }),
    remove() {
      run('umount', '-l', folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface FailingDisk {
  readonly folder: string;
  /** What the kernel does when a disk reports an error: from now on nothing can be written. */
  fail(): void;
  /** Checks the file system and mounts it again. Whatever has files open on it must be gone within ten seconds. */
  repair(): void;
  remove(): void;
}

/** An ext4 in a file that becomes read-only on an error, as the disk of most machines does. */
export function failingDisk(bytes: number): FailingDisk {
  const home = mkdtempSync(join(tmpdir(), 'openpact-disk-'));
  // OpenPact becomes a user of its own, who has to pass.
  run('chmod', '711', home);
  const [image, folder] = [join(home, 'image'), join(home, 'mounted')];
  const fd = openSync(image, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
  run('mkfs.ext4', '-q', image);
  run('mkdir', '-m', '700', folder);
  const mount = (): void => void run('mount', '-o', 'loop,errors=remount-ro', image, folder);
  mount();
  run('chmod', '700', folder);
  let mounted = true;
  return {
    folder,
    fail() {
      const device = basename(run('findmnt', '-n', '-o', 'SOURCE', folder));
      writeFileSync(`/sys/fs/ext4/${device}/trigger_fs_error`, '1');
    },
    repair() {
      unmount(folder);
      mounted = false;
      mend('e2fsck', '-p', '-f', image);
      mount();
      mounted = true;
    },
    remove() {
      if (mounted) run('umount', '-l', folder);
      rmSync(home, { recursive: true, force: true });
    },
  };
}
