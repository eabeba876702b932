import { AppError } from '../../core/index.ts';
import type { Capability } from '../../edge/admin/api.ts';
import { powerOf, type ScriptLibrary } from '../../guard/scripts/index.ts';
import { ATTACKS } from './attacks.ts';

/** Where it reaches through the scripts that may run now: a sentence for each that was given a host or a secret. */
export function capabilitiesByScripts(
  library: Pick<ScriptLibrary, 'list' | 'runnable' | 'facts'>,
): readonly Capability[] {
  const fences = [
    {
      text: 'A script’s process has no network. Each request is made outside of it, after it was checked against what you granted; a secret is filled in there.',
      holds: true,
    },
  ];
  const tests = [ATTACKS.ungranted, ATTACKS.secretPlaces, ATTACKS.takenBack];
  const found = library.list().flatMap(({ name }): Capability[] => {
    const now = library.runnable(name);
    if (!now.ok) return [];
    const powers = reachOf(library, now);
    if (powers.length === 0) return [];
    return [
      {
        id: `script-${name}`,
        group: 'network',
        answer: 'allowed',
        sentence: `The script ${name}, which you approved, ${powers.join('; it ')}.`,
        fences,
        tests,
      },
    ];
  });
  if (found.length > 0) return found;
  return [
    {
      id: 'scripts-none',
      group: 'network',
      answer: 'never',
      sentence: 'It can never reach the web through a script: none that may run now was given a host.',
      fences,
      tests,
    },
  ];
}

/** Nothing for a stored text that is damaged: it does not run, and hides no other. */
function reachOf(
  library: Pick<ScriptLibrary, 'facts'>,
  { hash, granted: { view } }: Extract<ReturnType<ScriptLibrary['runnable']>, { ok: true }>,
): readonly string[] {
  try {
    return powerOf(view, view, library.facts(hash))
      .lines.filter(({ kind }) => kind === 'secret' || kind === 'host')
      .map(({ text }) => text);
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}
