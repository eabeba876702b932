import { AppError } from '../../core/index.ts';
import { loadConfig } from '../../config/index.ts';
import { verifyChain, type AuditVerdict } from '../../guard/audit/index.ts';
import { createAuditStore, type AuditStore } from '../../host/storage/index.ts';
import { judged, type Check, type CheckGroup } from './control.ts';

const auditLog: Check = {
  ids: ['S-05'],
  title: 'audit log',
  async run({ program, ownDatabase }) {
    const own = (await ownDatabase())?.audit;
    const { audit, database } = program.inside.base;
    const store = createAuditStore(database);
    const whole = await audit.verify();
    const { last } = store.ends();
    // A copy that somebody changed, as it is read: the log itself stays what it is.
    const changed = await verifyChain(
      copyOf(store, (seq) => seq === 2),
      null,
    );
    const without = await verifyChain(
      copyOf(store, () => false, 2),
      null,
    );
    const shorter = await verifyChain(cutOff(store), null);
    const named = (name: string, verdict: AuditVerdict): string | false =>
      verdict.ok && `${name} was not found`;
    const its = own?.ok === true ? ` and your own (${own.rows} entries)` : '';
    return judged(
      `Verified the log of this trial (${last?.seq ?? 0} entries)${its}, then copies with a changed, a missing and a cut-off entry: each found`,
      [
        own?.ok === false && `your own log is not whole: ${own.problem}`,
        !whole.ok && `the untouched log does not verify: ${whole.problem}`,
        (last?.seq ?? 0) < 5 && 'what was done here is not in it',
        named('the changed entry', changed),
        named('the missing entry', without),
        named('the cut-off end', shorter),
      ],
    );
  },
};

function copyOf(store: AuditStore, changes: (seq: number) => boolean, leftOut?: number): AuditStore {
  return {
    ...store,
    list: (query) =>
      store
        .list(query)
        .filter(({ seq }) => seq !== leftOut)
        .map((row) => (changes(row.seq) ? { ...row, outcome: `${row.outcome}!` } : row)),
  };
}

function cutOff(store: AuditStore): AuditStore {
  const { last, head } = store.ends();
  const before = store.list({ limit: 2 }).find(({ seq }) => seq !== last?.seq);
  return {
    ...store,
    ends: () => ({ last: before, head }),
    list: (query) => store.list(query).filter(({ seq }) => seq !== last?.seq),
  };
}

const configuration: Check = {
  ids: ['S-74'],
  title: 'configuration',
  run({ trial }) {
    trial.write('wrong.yaml', 'admin:\n  bindd: 0.0.0.0:1\nsecurity:\n  min_isolation: 9\n');
    let problems = '';
    try {
      loadConfig({
        flags: { config: `${trial.path}/wrong.yaml`, workspace: trial.path },
        environment: {},
        folder: trial.path,
        workspaceDefault: trial.path,
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      problems = error.message;
    }
    return judged(
      'Loaded a configuration with an unknown key and a wrong value: both named with their line',
      [
        !/bindd/.test(problems) && 'the unknown key was taken',
        !/min_isolation/.test(problems) && 'the wrong value was taken',
      ],
    );
  },
};

const version: Check = {
  ids: ['S-80'],
  title: 'version',
  async run({ ask, layout }) {
    const { json } = await ask({ path: '/api/version', token: null });
    return judged(`Asked for the version: ${String(json['version'])}`, [
      json['version'] !== layout.version && `this program is ${layout.version}`,
    ]);
  },
};

export const recordChecks: CheckGroup = { name: 'Record', checks: [auditLog, configuration, version] };
