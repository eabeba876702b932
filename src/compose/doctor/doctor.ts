import { errorText } from '../../core/index.ts';
import type { LoadedConfig } from '../../config/index.ts';
import type { IsolationReport } from '../../host/process/index.ts';
import type { Layout } from '../layout.ts';
import type { Parts } from '../parts.ts';
import { withBench, type Bench } from './bench.ts';
import { CHECKS } from './checks.ts';
import type { Check, CheckGroup, Finding } from './control.ts';

export interface Examined {
  readonly isolation: IsolationReport;
  readonly groups: readonly {
    readonly name: string;
    readonly found: readonly { readonly check: Check; readonly finding: Finding }[];
  }[];
  /** Whether nothing that should be on is off. */
  readonly ok: boolean;
}

/** What `doctor --json` prints. */
export interface DoctorAnswer {
  readonly isolation: Pick<IsolationReport, 'level' | 'fences'>;
  readonly controls: readonly { readonly id: string; readonly state: string; readonly how: string }[];
  readonly ok: boolean;
}

/** Tries every control on a trial of the program. Errors: what a start refuses, such as a wrong configuration. */
export async function examine(
  given: { readonly loaded: LoadedConfig; readonly parts: Parts; readonly layout: Layout },
  groups: readonly CheckGroup[] = CHECKS,
): Promise<Examined> {
  return withBench(given, async (bench) => {
    const found = [];
    for (const { name, checks } of groups) {
      const results = [];
      // One after the other: some look at what others did.
      for (const check of checks) results.push({ check, finding: await tryOne(check, bench) });
      found.push({ name, found: results });
    }
    const ok = found.every((group) => group.found.every(({ finding }) => finding.state !== 'failed'));
    return { isolation: bench.isolation, groups: found, ok };
  });
}

async function tryOne(check: Check, bench: Bench): Promise<Finding> {
  try {
    return await check.run(bench);
  } catch (error) {
    return { state: 'failed', how: `It could not be tried: ${errorText(error)}.` };
  }
}

export function doctorAnswer({ isolation, groups, ok }: Examined): DoctorAnswer {
  return {
    isolation: { level: isolation.level, fences: isolation.fences },
    controls: groups.flatMap(({ found }) =>
      found.flatMap(({ check, finding: { state, how } }) => check.ids.map((id) => ({ id, state, how }))),
    ),
    ok,
  };
}
