/**
 * What the kernel says about a process, held against what was ordered.
 *
 * Guarantees: a process whose ids, capabilities, no_new_privs or seccomp differ from the order is named as deviating.
 * Does not: see Landlock (the kernel shows it nowhere; the fence reports it, and the isolation probe tries it).
 * An attacker may control: nothing of this file's input; the kernel writes it. The name of a process stands in it, with
 * newlines escaped.
 */
import { readFileSync } from 'node:fs';
import type { UserIds } from './types.ts';

export type ReadStatus = (pid: number) => string;

/** Throws when there is no such process. */
export const readProcessStatus: ReadStatus = (pid) => readFileSync(`/proc/${pid}/status`, 'utf8');

export interface OrderedState {
  readonly parentPid: number;
  /** Undefined: the parent's own. */
  readonly user: UserIds | undefined;
  readonly seccomp: boolean;
}

const capSetpcap = 8n;
const noCapabilities = /^0+$/;

/** One sentence for each thing that is not as ordered. `parent` is the parent's own status text. */
export function deviations(child: string, parent: string, ordered: OrderedState): string[] {
  const found: string[] = [];
  const expect = (name: string, wanted: string, is = field(child, name)): void => {
    if (is !== wanted) found.push(`${name} is ${is ?? 'not shown'} where ${wanted} was ordered`);
  };
  const same = (id: number): string => Array.from({ length: 4 }, () => id).join('\t');
  const { user } = ordered;
  if (user === undefined) {
    for (const name of ['Uid', 'Gid', 'Groups']) expect(name, field(parent, name) ?? '');
  } else {
    expect('Uid', same(user.uid));
    expect('Gid', same(user.gid));
    expect('Groups', '');
  }
  expect('PPid', String(ordered.parentPid));
  const sets = ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'];
  // Without SETPCAP nobody can empty the bounding set; with the other sets empty and no_new_privs it gives nothing.
  if ((capabilities(parent) >> capSetpcap) % 2n === 1n) sets.push('CapBnd');
  for (const name of sets) {
    const is = field(child, name);
    if (is === undefined || !noCapabilities.test(is)) {
      found.push(`${name} is ${is ?? 'not shown'} where no capability was ordered`);
    }
  }
  expect('NoNewPrivs', '1');
  if (ordered.seccomp) {
    expect('Seccomp', '2');
    // A container's own filter also shows as 2: ours must be one more than the parent has. Shown since Linux 5.9.
    const filters = field(child, 'Seccomp_filters');
    const inherited = Number(field(parent, 'Seccomp_filters') ?? 0);
    if (filters !== undefined && Number(filters) <= inherited) {
      found.push(`Seccomp_filters is ${filters}, as in the parent`);
    }
  }
  return found;
}

export function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(status)?.[1];
}

function capabilities(status: string): bigint {
  const effective = field(status, 'CapEff');
  return effective !== undefined && /^[0-9a-f]+$/.test(effective) ? BigInt(`0x${effective}`) : 0n;
}

/** A process that has ended but was not yet waited for. */
export function isEnded(status: string): boolean {
  return /^[ZX]/.test(field(status, 'State') ?? '');
}
