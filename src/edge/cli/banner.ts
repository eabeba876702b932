export interface BannerFacts {
  readonly version: string;
  /** Where the page is, such as `http://127.0.0.1:8888`. */
  readonly address: string;
  readonly workspace: string;
  /** Only while the admin account is still to be made. */
  readonly setup: { readonly code: string; readonly file: string } | null;
  readonly isolation: {
    readonly level: number;
    readonly summary: string;
    readonly missing: readonly { readonly what: string; readonly fix: string }[];
  };
  /** Further sentences, such as the notices of the configuration. */
  readonly notes: readonly string[];
}

const WIDTH = 96;
const LABEL = 13;

/** What the person at the console reads first. With `color`, the address and the code stand out. */
export function startBanner(facts: BannerFacts, color: boolean): string {
  const strong = (text: string): string => (color ? `\u001b[1m${text}\u001b[22m` : text);
  const { isolation, setup } = facts;
  const lines = [strong(`OpenPact ${facts.version}`), '', row('Page', strong(facts.address))];
  if (setup !== null) {
    lines.push(
      row('Setup code', strong(setup.code)),
      ...rows('', `The page asks for it once, to make your account. It is also in ${setup.file}`),
    );
  }
  lines.push(row('Workspace', facts.workspace));
  lines.push(...rows('Isolation', `Level ${isolation.level} of 3. ${isolation.summary}`));
  for (const { what, fix } of isolation.missing) lines.push(...rows('', `Missing: ${what}. ${fix}`));
  for (const [index, note] of facts.notes.entries()) lines.push(...rows(index === 0 ? 'Note' : '', note));
  return `${lines.join('\n')}\n`;
}

/** Whether a stream should get color: a terminal that was not told otherwise (no-color.org). */
export function wantsColor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  return stream.isTTY === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL)}${text}`;
}

/** The text in lines of at most WIDTH columns; a word that is longer stays whole, so that paths can be copied. */
function rows(label: string, text: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH - LABEL - 2) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.map((part, index) => row(index === 0 ? label : '', part));
}
