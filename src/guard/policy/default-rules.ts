import type { PolicyRule } from './policy.ts';

const READ = ['workspace_read', 'workspace_list', 'memory_read'] as const;
const WRITE = ['workspace_write', 'memory_write'] as const;

/**
 * The shipped policy: reading and memory are allowed, who the assistant is stays the owner's, other writes ask (T-02).
 * The rule about who the assistant is stays in force whatever the owner sets.
 */
export function defaultRules(options: { readonly aiMayEditIdentity: boolean }): readonly PolicyRule[] {
  return [
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
