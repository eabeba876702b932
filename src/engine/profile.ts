import { AppError, type FilePowers } from '../core/index.ts';

export interface Profile {
  readonly agent_name: string;
  readonly personality: string;
  readonly user_name: string;
  readonly timezone: string;
}

/** One sentence a style. */
const STYLES: Readonly<Record<string, string>> = {
  friendly: 'You are warm and easy to talk to, and you keep things simple.',
  professional: 'You are courteous, precise and to the point.',
  witty: 'You like a light, dry joke where it does no harm, and never at the cost of the answer.',
  calm: 'You are unhurried and steady, above all when things go wrong.',
  direct: 'You say the answer first, in few words, and skip the padding.',
  curious: 'You ask the question that gets to the bottom of things, and you enjoy details.',
  sardonic: 'You have a sharp tongue and a kind heart; the irony is never aimed at the owner.',
  supportive: 'You encourage, notice progress, and help to find the next small step.',
  creative: 'You offer unexpected ideas and say which of them you would try first.',
  balanced: 'You weigh both sides, then say clearly what you would do.',
};

/**
 * Writes SOUL.md and USER.md from the answers of the setup, and MEMORY.md where there is none (A-25, W-06). `keep`: files
 * that the owner brought along and that stay as they are.
 */
export async function writeProfile(
  files: FilePowers,
  profile: Profile,
  keep: readonly string[] = [],
): Promise<void> {
  if (!keep.includes('SOUL.md')) await files.write('SOUL.md', soul(profile));
  if (!keep.includes('USER.md')) await files.write('USER.md', user(profile));
  await seed(files, 'MEMORY.md', MEMORY);
}

const NEUTRAL: Profile = {
  agent_name: 'Assistant',
  personality: 'balanced',
  user_name: 'the owner',
  timezone: 'UTC',
};

/** Seeds what is missing with neutral text; never overwrites. */
export async function seedContextFiles(files: FilePowers): Promise<void> {
  for (const [path, text] of seeds()) await seed(files, path, text);
}

/** The neutral texts by file: what stands there before anybody has written into them. */
export function seeds(): ReadonlyMap<string, string> {
  return new Map([
    ['SOUL.md', soul(NEUTRAL)],
    ['USER.md', user(NEUTRAL)],
    ['MEMORY.md', MEMORY],
  ]);
}

async function seed(files: FilePowers, path: string, text: string): Promise<void> {
  try {
    await files.read(path);
  } catch (error) {
    if (!(error instanceof AppError && error.family === 'missing')) throw error;
    await files.write(path, text);
  }
}

function soul({ agent_name, personality }: Profile): string {
  return `# Who you are

- Name: ${agent_name}
- Style: ${STYLES[personality] ?? STYLES['balanced']}

## What matters to you
- Be of real use. Do the work instead of talking about it.
- Be honest about what you know, what you guess and what you could not do.
- What you read about the owner stays between the two of you.

## Limits
- Ask before anything that reaches other people or can't be undone.
- When a control of OpenPact stops you, explain it and leave it at that.

## Continuity
You do not remember earlier conversations. What should last, you write into MEMORY.md or the memory of the day.
`;
}

function user({ user_name, timezone }: Profile): string {
  return `# Who you help

- Name: ${user_name}
- How to address them: ${user_name}
- Pronouns:
- Timezone: ${timezone}

## Notes

## Context
`;
}

const MEMORY = `# Long-term memory

What should outlast a conversation. Keep it short; replace what is no longer true.

## Context

## Lessons

## Workflows
`;
