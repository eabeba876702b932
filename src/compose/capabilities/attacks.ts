import type { NamedTest } from '../../edge/admin/api.ts';

/** The tests that attack what a capability says. Each stands in docs/security.md too, whose test looks whether it is there and runs. */
export const ATTACKS = {
  outside: {
    file: 'test/attacks/hostile-model.test.ts',
    name: 'reading out of ai-data is refused by the path rule of the tool, without it by the jail, without both by the fence of the file child; without all three it succeeds',
  },
  unapproved: {
    file: 'test/attacks/hostile-model.test.ts',
    name: 'a write that nobody approved does not happen; without the policy it does',
  },
  identity: {
    file: 'test/attacks/hostile-model.test.ts',
    name: 'changing who the assistant is, is denied by the policy; without the policy nothing else stops it',
  },
  manyCalls: {
    file: 'test/attacks/hostile-model.test.ts',
    name: 'a thousand calls in a turn are cut off',
  },
  takenOver: {
    file: 'test/attacks/hostile-agent.test.ts',
    name: 'behind the fences an agent that was taken over reaches no file, no process and no socket, and holds no secret',
  },
  gateway: {
    file: 'test/attacks/hostile-agent.test.ts',
    name: 'the gateway refuses what is not this turn: tools, plugins, remote content, models, capabilities; the gate what no model asked for',
  },
  fence: {
    file: 'test/attacks/launcher.test.ts',
    name: 'a hostile child > gets nothing with every fence on',
  },
  audit: {
    file: 'test/attacks/audit-tamper.test.ts',
    name: 'a changed, a removed and an added row and a cut-off end are found, beside the running program and without it, and no later entry covers them up',
  },
  redaction: {
    file: 'test/attacks/redaction.test.ts',
    name: 'the key of the model > leaves in no form through a result, a prompt, an answer, the log, the audit log or the disk',
  },
  ownPolicy: {
    file: 'test/attacks/policy-change.test.ts',
    name: 'a stolen session without the password can not change the policy; without the step-up it does, and nothing else stops it',
  },
  hardLimit: {
    file: 'test/attacks/policy-change.test.ts',
    name: 'a rule that lets the assistant change who it is, is refused, and does not count when it is put into the database past the check',
  },
  ungranted: {
    file: 'test/attacks/scripts.test.ts',
    name: 'a script that asks for what it was not granted gets none of it, and the owner is offered to grant it',
  },
  secretPlaces: {
    file: 'test/attacks/secret-sent.test.ts',
    name: 'a secret that was granted > does not stand in another place than the grant names, and nothing but http and https is spoken',
  },
  takenBack: {
    file: 'test/attacks/scripts.test.ts',
    name: 'reject-live: a rejection and a switch-off end what runs within a second and block what comes, without a restart',
  },
} as const satisfies Readonly<Record<string, NamedTest>>;
