import { isolationSentence } from '../../host/process/index.ts';
import type { ControlState, Finding } from './control.ts';
import type { Examined } from './doctor.ts';

const WIDTH = 100;
const INDENT = 17;

const WORDS: Readonly<Record<Exclude<ControlState, 'failed'>, string>> = {
  on: 'on',
  off_by_config: 'off',
  not_possible_here: 'not here',
};

/** One screen for a person: what is wrong and what to do first, then everything by groups. */
export function doctorScreen({ isolation, groups, ok }: Examined, workspace: string): readonly string[] {
  const all = groups.flatMap(({ found }) => found);
  const count = (state: ControlState): number => all.filter(({ finding }) => finding.state === state).length;
  const failed = all.filter(({ finding }) => finding.state === 'failed');
  const lines = [
    `${ok ? 'Everything that should be on is on.' : `${failed.length} of ${all.length} controls should be on and are not.`} Tried just now, in ${workspace}.`,
    `${count('on')} on, ${count('off_by_config')} off by configuration, ${count('not_possible_here')} not possible here, ${failed.length} failed.`,
    `Isolation level ${isolation.level} of 3. ${isolationSentence(isolation.level)}`,
  ];
  if (failed.length > 0) lines.push('', 'What is wrong, and what to do first');
  for (const { check, finding } of failed) {
    lines.push(...wrapped(`  ${check.title} (${check.ids.join(', ')})`, finding.how, 4));
    lines.push(...wrapped('    To do:', finding.fix ?? DEFAULT_FIX, 11));
  }
  for (const { name, found } of groups) {
    lines.push('');
    let label = name;
    for (const state of ['on', 'off_by_config', 'not_possible_here'] as const) {
      const these = found.filter(({ finding }) => finding.state === state);
      if (these.length === 0) continue;
      const start = `${label.padEnd(11)}${WORDS[state].padEnd(10)}`;
      label = '';
      const text =
        state === 'off_by_config'
          ? these.map(({ check, finding }) => `${check.title}: ${finding.how}`).join(' ')
          : these.map(({ check }) => check.title).join(', ');
      lines.push(...columns(start, text));
    }
    const bad = found.filter(({ finding }) => finding.state === 'failed');
    if (bad.length > 0) {
      lines.push(
        ...columns(
          `${label.padEnd(11)}${'FAILED'.padEnd(10)}`,
          bad.map(({ check }) => check.title).join(', '),
        ),
      );
    }
  }
  const raise = notes(all.map(({ finding }) => finding));
  if (raise.length > 0) lines.push('', 'To have more', ...raise.flatMap((text) => columns('  ', text)));
  lines.push('', 'How each was tried: the same command with --json. What each means: docs/security.md.');
  return lines;
}

const DEFAULT_FIX =
  'Stop OpenPact until it is clear why. A control that the program itself lost is a fault: report it.';

/** What to do for that which this machine does not have, each once. */
function notes(findings: readonly Finding[]): readonly string[] {
  const fixes = findings
    .filter(({ state }) => state === 'not_possible_here')
    .map(({ fix }) => fix)
    .filter((fix) => fix !== undefined);
  return [...new Set(fixes)];
}

function columns(start: string, text: string): readonly string[] {
  return fold(text, WIDTH - start.length).map((line, index) =>
    index === 0 ? `${start}${line}` : `${' '.repeat(start.length)}${line}`,
  );
}

/** The head on a line with as much of the text as fits; the rest indented. */
function wrapped(head: string, text: string, indent: number): readonly string[] {
  return fold(`${head.trimStart()} ${text}`, WIDTH - INDENT).map((line, index) =>
    index === 0
      ? `${' '.repeat(head.length - head.trimStart().length)}${line}`
      : `${' '.repeat(indent)}${line}`,
  );
}

function fold(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
