import type { PolicyRule } from './policy.ts';

const READ = ['workspace_read', 'workspace_list', 'memory_read'] as const;
const SCRIPTS = ['script_list', 'script_reload', 'script_status', 'script_write'] as const;
const WRITE = ['workspace_write', 'memory_write'] as const;

/**
 * The shipped policy: reading and memory are allowed, who the assistant is stays the owner's, other writes ask (T-02).
 * The rule about who the assistant is stays in force whatever the owner sets.
 */
export function defaultRules(options: {
  readonly aiMayEditIdentity: boolean;
  readonly execMode?: 'off' | 'pure' | 'approval';
}): readonly PolicyRule[] {
  return [
    {
      id: 'propose-scripts',
      decision: 'allow',
      tools: SCRIPTS,
      resources: ['scripts'],
      because: 'a proposed script does nothing until the owner approves it',
    },
    {
      id: 'run-approved',
      decision: 'allow',
      tools: ['script_run'],
      resources: ['script_runs'],
      because: 'only what the owner approved runs, with what was granted',
    },
    options.execMode === 'off'
      ? {
          id: 'no-exec',
          decision: 'deny',
          tools: ['script_exec'],
          because: 'code without a script is switched off (starlark.exec_mode)',
          hard: true,
        }
      : options.execMode === 'approval'
        ? {
            id: 'exec-asks',
            decision: 'ask',
            tools: ['script_exec'],
            resources: ['script_runs'],
            because: 'code without a script needs an approval (starlark.exec_mode)',
            hard: true,
          }
        : {
            id: 'exec-pure',
            decision: 'allow',
            tools: ['script_exec'],
            resources: ['script_runs'],
            because: 'code without secrets and hosts only computes',
          },
    {
      id: 'read-files',
      decision: 'allow',
      tools: READ,
      because: 'the assistant may read what is in ai-data',
    },
    {
      id: 'write-memory',
      decision: 'allow',
      tools: WRITE,
      resources: ['memory'],
      because: 'the assistant keeps its own memory',
    },
    {
      id: 'write-workspace',
      decision: 'ask',
      tools: WRITE,
      resources: ['workspace', 'scripts'],
      because: 'writing outside the memory needs an approval',
    },
    options.aiMayEditIdentity
      ? {
          id: 'write-identity',
          decision: 'ask',
          tools: WRITE,
          resources: ['identity'],
          because: 'changing SOUL.md or USER.md needs an approval',
          hard: true,
        }
      : {
          id: 'identity-is-the-owners',
          decision: 'deny',
          tools: WRITE,
          resources: ['identity'],
          because: 'SOUL.md and USER.md are changed by the owner only (context.ai_may_edit_identity is off)',
          hard: true,
        },
  ];
}
