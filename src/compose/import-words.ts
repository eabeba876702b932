import type { ImportAnswer } from '../edge/cli/import-ports.ts';
import type { Original } from '../guard/import/index.ts';

/** What of the original has no place here, and what to do about it. By name, from the folder that was read. */
const WITHOUT_PLACE: readonly { readonly file: string; readonly why: string }[] = [
  {
    file: 'chat_providers.json',
    why: 'tokens of chat services; this version has no chat services. They stand there in clear: take new ones when you set a service up.',
  },
  {
    file: 'channel_sessions.json',
    why: 'which conversation a chat channel was in; conversations start anew.',
  },
  { file: 'channel_modes.json', why: 'how chat channels were shown; this version has none.' },
  { file: 'jwt_secret', why: 'it signed logins of the original; OpenPact has a key of its own.' },
  { file: 'mcp_token', why: 'it let the engine of the original in; OpenPact makes one at each start.' },
  { file: 'model_preference.json', why: 'choose the model on the page.' },
  { file: 'setup_state.json', why: 'the page asks for the profile after the first login.' },
  {
    file: 'secure/config.yaml',
    why: 'not all keys are the same; copy what you need into secure/config.yaml, then: openpact config check',
  },
];

export function notImported({
  names,
  scripts,
  approvals,
  data,
}: Pick<Original, 'names' | 'scripts' | 'approvals' | 'data'>): ImportAnswer['not_imported'] {
  const found: { name: string; why: string }[] = WITHOUT_PLACE.filter(({ file }) => names.has(file)).map(
    ({ file: name, why }) => ({ name, why }),
  );
  const texts = new Set(scripts.map(({ file }) => file));
  const without = [...approvals.keys()].filter((file) => !texts.has(file)).length;
  if (without > 0) {
    found.push({
      name: 'approvals.json',
      why:
        data === ''
          ? 'decisions need their scripts: name the whole workspace instead of secure/data to import those.'
          : `${without === 1 ? 'one decision is' : `${without} decisions are`} on scripts that are not there.`,
    });
  }
  return found;
}

export function adviceFor(
  original: Original,
  items: ImportAnswer['items'],
  pathOf: (path: string) => string,
): readonly string[] {
  const has = (kind: ImportAnswer['items'][number]['kind'], state: 'new' | 'present' = 'new'): boolean =>
    items.some((item) => item.kind === kind && item.state === state);
  const advice: string[] = [];
  if (has('user')) {
    advice.push(
      'Log in with the name and password of the original. The first login replaces its bcrypt hash by argon2id.',
    );
  }
  if (has('secret')) {
    advice.push('Bind each secret to its hosts, on the page under Secrets.');
  }
  if (has('secret') || has('secret', 'present')) {
    const file = shellWord(pathOf(`${original.data}starlark_secrets.json`));
    advice.push(
      `The secrets still stand in clear in the old file. Check that all you need are in the vault, then: rm ${file}`,
    );
  }
  if (has('script')) advice.push('No script is approved. Read and approve them on the page under Scripts.');
  if (has('schedule')) {
    advice.push('The schedules are kept as data and run nothing: this version has no scheduler.');
  }
  if (original.names.has('ai-data/skills')) {
    advice.push(
      `Skills are not imported. Read them, then: cp -r ${shellWord(pathOf('ai-data/skills'))}/. WORKSPACE/ai-data/skills/`,
    );
  }
  return advice;
}

/** One word for a POSIX shell, whatever is in it. */
function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
