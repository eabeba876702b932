/**
 * Writes docs/configuration.md from the keys and the schema that the program itself uses. What a value may be is the
 * schema's own refusal: each key is tried with values that fit nowhere. `node scripts/config-docs.ts`; a test compares.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEY_NAMES, keyInfo, variableOf, type Key } from '../src/config/keys.ts';
import { settingsSchema } from '../src/config/schema.ts';
import { SECRET_VARIABLES, type SecretVariable } from '../src/config/secrets.ts';
import { KEY_EFFECTS, SECRET_EFFECTS } from './config-effects.ts';

export const CONFIG_DOCUMENT = join(import.meta.dirname, '..', 'docs', 'configuration.md');

const INTRODUCTION = `# Configuration

This page is made by \`node scripts/config-docs.ts\` from the keys and the schema of the program; do not edit it.

Flags of the command line win over environment variables, variables over \`secure/config.yaml\` in the workspace, the file
over the defaults. A \`.env\` file in the folder where the program is started adds variables that are not set. Another file
than \`secure/config.yaml\` is named by \`--config\` or the variable CONFIG_PATH. \`openpact config show\` prints what is in
force and where each value comes from; \`openpact config check\` finds every problem. An unknown key in the file, a wrong type
and a value out of range stop the start with exit code 78.

In the file the dots are levels: \`admin.bind\` is \`bind\` below \`admin\`. In the file \`\${NAME}\` stands for a variable. In
variables lists are separated by commas, flags are true, false, 1 or 0. A time is a number with s, m, h or d, such as
\`90s\` or \`1h30m\`.

Models, keys of providers, the policy, budgets and the fallback model can be set on the page; that is stored in the
database and not in the file.
`;

const SECRETS = `## Secrets

Secrets come from variables, never from the file. Each variable also exists as \`NAME_FILE\`, the path of a file that holds
the value; setting both is refused. Prefer files: other programs of your user can read the environment of a process.

| variable | what it is | security |
|---|---|---|
`;

/** The whole document as text. */
export function configDocument(): string {
  const groups = Map.groupBy(KEY_NAMES, (key) => key.split('.')[0] ?? '');
  const sections = [...groups].map(([name, keys]) => `## ${name}\n\n${keys.map(entry).join('\n')}`);
  const secrets = (Object.keys(SECRET_VARIABLES) as SecretVariable[]).map(
    (name) => `| \`${name}\` | ${SECRET_VARIABLES[name]} | ${SECRET_EFFECTS[name]} |`,
  );
  const named =
    '| `OPENPACT_SECRET_<NAME>` | A secret of your own, known as NAME. | Hidden in texts from the start when it is hard to guess; scripts to which you granted it use it as a handle and never see it. |';
  return [INTRODUCTION, ...sections, `${SECRETS}${[...secrets, named].join('\n')}\n`].join('\n');
}

function entry(key: Key): string {
  const { kind, short = [], says } = keyInfo(key);
  const lines = [
    `### ${key}`,
    '',
    says,
    '',
    `- Type: ${kind}; ${rangeOf(key).join('; ')}`,
    `- Default: ${defaultOf(key)}`,
    `- Variable: ${[variableOf(key), ...short].map((name) => `\`${name}\``).join(', ')}`,
    `- Security: ${KEY_EFFECTS[key]}`,
    '',
  ];
  return lines.join('\n');
}

function defaultOf(key: Key): string {
  const value = keyInfo(key).default;
  if (value === undefined) return 'the folder `workspace` where the program is started';
  if (value === '') return 'empty';
  return Array.isArray(value) && value.length === 0 ? 'an empty list' : `\`${String(value)}\``;
}

/** What the schema says to values that fit nowhere: for a list, an entry that does; for a text, none and a long one. */
function rangeOf(key: Key): string[] {
  const wrong = { number: [null], flag: [null], list: [['no such thing']], text: ['', 'x'.repeat(3000)] };
  const said = wrong[keyInfo(key).kind].flatMap((value) => refusals(key, value));
  return said.length > 0 ? [...new Set(said)] : ['any text'];
}

function refusals(key: Key, value: unknown): string[] {
  const settings = key.split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
  const { error } = settingsSchema.safeParse(settings);
  return (error?.issues ?? [])
    .filter((issue) => issue.path.join('.').replace(/\.\d+$/, '') === key)
    .map((issue) => issue.message);
}

if (import.meta.main) writeFileSync(CONFIG_DOCUMENT, configDocument());
