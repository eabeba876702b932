// Guarantees: what the model is told of files stands inside tags that the files can't close or forge, and is capped (X-07,
// `context-part.ts`); the list of tools is that of the turn. Everything is read anew for each turn: a change by hand, by the
// page or at midnight counts for the next one.
// Does not: make the model obey. Files that the assistant may write are hostile input like everything else of its.
import { AppError, errorText, type AnyTool, type Clock, type FilePowers, type Log } from '../core/index.ts';
import { contextPart } from './context-part.ts';
import { frameworkText } from './framework-text.ts';
import { skillIndex } from './skills.ts';

export interface ContextBuilder {
  /** The system prompt of a turn, read anew each time. */
  build(signal: AbortSignal): Promise<string>;
}

export interface ContextDeps {
  readonly files: FilePowers;
  readonly tools: readonly AnyTool[];
  readonly clock: Clock;
  readonly log: Log;
  /** IANA name; today's memory is named by the date there. */
  readonly timezone: () => string;
  /** What the owner decided of late on scripts that the assistant proposed; undefined: nothing. */
  readonly scriptNews?: (() => string | undefined) | undefined;
}

export function createContextBuilder({
  files,
  tools,
  clock,
  log,
  timezone,
  scriptNews,
}: ContextDeps): ContextBuilder {
  async function part(tag: string, path: string, signal: AbortSignal): Promise<string | undefined> {
    try {
      return contextPart(tag, (await files.read(path, signal)).text, path);
    } catch (error) {
      if (error instanceof AppError && error.family === 'missing') return undefined;
      log.warn('a context file was left out', { file: path, problem: errorText(error) });
      // Too much to read even the beginning: without a word the model would think that there is nothing.
      const tooLarge = error instanceof AppError && error.code === 'file_too_large';
      return tooLarge ? contextPart(tag, `[Left out: ${error.message}]`, path) : undefined;
    }
  }

  return {
    async build(signal) {
      const zone = timezone();
      const today = dateIn(zone, clock.now());
      const parts = await Promise.all([
        part('identity', 'SOUL.md', signal),
        part('user-profile', 'USER.md', signal),
        part('long-term-memory', 'MEMORY.md', signal),
        part(`todays-memory-${today}`, `memory/${today}.md`, signal),
        skillIndex({ files, log }, signal).then((text) =>
          contextPart('skills', text, 'the index of skills/'),
        ),
      ]);
      const news = scriptNews?.();
      if (news !== undefined) parts.push(contextPart('script-decisions', news, 'the decisions on scripts'));
      const own = `<openpact>\n${frameworkText({ tools, today, timezone: zone })}\n</openpact>`;
      return [own, ...parts].filter((text) => text !== undefined).join('\n\n');
    },
  };
}

/** The day in a timezone as YYYY-MM-DD. */
export function dateIn(timezone: string, ms: number): string {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(ms);
}
