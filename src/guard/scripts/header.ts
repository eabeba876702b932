// Guarantees: there is one reader of headers (K-11): the comment lines at the beginning of a script, blank lines between
// them allowed, up to the first other line. What it says is part of the text and so of its digest.
// Does not: grant anything. A header declares; the owner grants.
// An attacker may control: the whole text.

export interface ScriptHeader {
  readonly description: string;
  readonly author: string;
  readonly version: string;
  readonly tags: readonly string[];
  /** Undefined: no line says so. `none` is an empty list. */
  readonly secrets: readonly string[] | undefined;
  readonly hosts: readonly string[] | undefined;
  /** `name` and `approved_for`, where they stand; they mean nothing here. */
  readonly other: Readonly<Record<string, string>>;
  /** What could not be read, in words. */
  readonly problems: readonly string[];
}

/** No two parts can take the same characters: else a line of spaces would cost their square. */
const LINE = /^#\s*@([a-z_]+)\s*:(.*)$/;
const SECRET = /^[A-Z][A-Z0-9_]{0,63}$/;
const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[1-9]\d{0,4})?$/;
const LONGEST = 1_000;
const MOST = 100;

export function readHeader(source: string): ScriptHeader {
  const texts = new Map<string, string>();
  const problems: string[] = [];
  let secrets: string[] | undefined;
  let hosts: string[] | undefined;
  const add = (
    list: string[] | undefined,
    value: string,
    fits: RegExp,
    what: string,
    known: (text: string) => string,
  ): string[] => {
    const found = list ?? [];
    if (value.trim().toLowerCase() === 'none') return found;
    for (const raw of value.split(/[\s,]+/).filter(Boolean)) {
      const item = known(raw);
      if (!fits.test(item)) problems.push(`"${raw.slice(0, 80)}" is not the name of a ${what}`);
      else if (!found.includes(item) && found.length < MOST) found.push(item);
    }
    return found;
  };
  for (const line of source.replace(/^\ufeff/, '').split(/\r?\n/, 1_000)) {
    const text = line.trim();
    if (text !== '' && !text.startsWith('#')) break;
    const [, key = '', said = ''] = LINE.exec(text) ?? [];
    const value = said.trimStart();
    if (key === 'secret' || key === 'secrets')
      secrets = add(secrets, value, SECRET, 'secret', (name) => name);
    else if (key === 'host' || key === 'hosts')
      hosts = add(hosts, value, HOST, 'host', (host) => host.toLowerCase());
    // The first one counts: what stands further down can't take its place unseen.
    else if (key !== '' && !texts.has(key) && texts.size < MOST)
      texts.set(key, value.slice(0, LONGEST).trim());
  }
  const { description = '', author = '', version = '', tags = '', ...other } = Object.fromEntries(texts);
  return {
    description,
    author,
    version,
    tags: tags.split(/[\s,]+/).filter(Boolean),
    secrets,
    hosts,
    other,
    problems: problems.slice(0, 20),
  };
}
