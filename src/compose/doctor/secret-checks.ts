import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../../core/index.ts';
import { loadConfig } from '../../config/index.ts';
import { textOrNothing } from '../../host/files/machine-facts.ts';
import { judged, notHere, type Check, type CheckGroup } from './control.ts';

const forms = (secret: string): Readonly<Record<string, string>> => ({
  plain: secret,
  base64: Buffer.from(secret).toString('base64'),
  hex: Buffer.from(secret).toString('hex'),
  'percent-encoded': encodeURIComponent(secret),
  'in JSON': JSON.stringify(secret).slice(1, -1),
  reversed: Array.from(secret).toReversed().join(''),
});

const redaction: Check = {
  ids: ['S-14', 'S-15', 'S-62', 'S-70', 'S-87'],
  title: 'hiding of secrets',
  async run({ turn, trial, secret, program, ask }) {
    const wanted = forms(secret);
    trial.write('ai-data/leak.md', `${Object.values(wanted).join('\n')}\n`);
    const { conversation, prompts, results } = await turn(
      [{ calls: [{ name: 'workspace_read', arguments: { path: 'leak.md' } }] }, { text: `it is ${secret}` }],
      { message: `tell me ${secret}` },
    );
    const stored = await ask({ path: `/api/sessions/${conversation}/messages` });
    const places: Readonly<Record<string, string>> = {
      'the result of a tool': JSON.stringify(results),
      'what the model was told': prompts.join('\n'),
      'the conversation': stored.text,
      'the audit log': JSON.stringify(program.inside.base.audit.list({ limit: 100 })),
    };
    const open = Object.entries(places).flatMap(([place, text]) =>
      Object.entries(wanted)
        .filter(([, form]) => text.includes(form))
        .map(([name]) => `${place} shows it ${name}`),
    );
    return judged(
      `Put a known secret in ${Object.keys(wanted).length} forms into a message, a file and an answer: hidden in results, prompts, the conversation and the audit log`,
      [
        ...open,
        stored.status !== 200 && `the conversation got ${stored.status}`,
        results[0]?.outcome !== 'done' && 'the file was not read',
        !/\[REDACTED:[A-Z_]*DOCTOR\]/.test(places['the result of a tool'] ?? '') &&
          'no marker stands in its place',
      ],
    );
  },
};

const sealed: Check = {
  ids: ['S-16', 'S-50'],
  title: 'stored keys',
  async run({ ask, trial }) {
    const key = `sk-${randomBytes(24).toString('base64url')}`;
    const put = await ask({ method: 'PUT', path: '/api/llm/upstreams/openrouter', body: { api_key: key } });
    const answers = [put.text];
    for (const path of ['/api/llm/upstreams', '/api/models', '/api/audit?limit=100', '/api/capabilities']) {
      answers.push((await ask({ path })).text);
    }
    const disk = ['openpact.db', 'openpact.db-wal'].some((name) => {
      const bytes = trial.read(`secure/data/${name}`);
      return bytes.includes(key) || bytes.includes(Buffer.from(key).toString('base64'));
    });
    await ask({ method: 'PUT', path: '/api/llm/upstreams/openrouter', body: { api_key: null } });
    return judged(
      'Stored a provider key and searched the database and five answers of the API for it: not found',
      [
        put.status !== 200 && `storing got ${put.status}`,
        disk && 'it stands readable in the database',
        answers.some((text) => text.includes(key)) && 'the API gives it back',
      ],
    );
  },
};

/** What of this process and of what started it other programs of the same user can read. */
const environment: Check = {
  ids: ['S-17'],
  title: 'environment of OpenPact',
  run({ loaded }) {
    const secrets = loaded.secrets.all().map(([name, text]) => [name, text.reveal()] as const);
    const own = textOrNothing('/proc/self/environ');
    if (own === undefined)
      return notHere('This system does not show the environment of a process as a file.');
    const starter = textOrNothing(`/proc/${process.ppid}/environ`);
    const found = secrets.filter(([, value]) => own.includes(value) || starter?.includes(value) === true);
    const its =
      starter === undefined ? 'that of its starter is closed to this user' : 'and that of its starter';
    const names = own.split('\0').filter((line) => line !== '').length;
    return judged(
      `Read the environment of this process (${names} names; ${its}) and searched for the ${secrets.length} secrets of the configuration`,
      found.map(([name]) => `${name} stands there`),
      'Start it with "openpact" instead of from source, and give secrets as files: NAME_FILE.',
    );
  },
};

/** Of the own one it was checked before any of this began. */
const masterKeyFile: Check = {
  ids: ['master-key'],
  title: 'file of a master key',
  run({ trial, loaded }) {
    if (process.getuid === undefined) return notHere('This system has no owners and modes.');
    const taken = (mode: number): boolean => {
      trial.write('secure/doctor_key', `${randomBytes(32).toString('base64')}\n`, mode);
      try {
        loadConfig({
          flags: { workspace: trial.path },
          environment: { OPENPACT_MASTER_KEY_FILE: join(trial.path, 'secure/doctor_key') },
          folder: trial.path,
          workspaceDefault: trial.path,
        });
        return true;
      } catch (error) {
        if (error instanceof AppError && error.code === 'config_invalid') return false;
        throw error;
      }
    };
    const own = loaded.secrets.source('OPENPACT_MASTER_KEY') === 'OPENPACT_MASTER_KEY_FILE';
    return judged(
      `Named a file of mode 0644 as the master key of a trial: refused; one of mode 0600 was taken${own ? '. Yours was looked at when this began' : ''}`,
      [
        taken(0o644) && 'a file that others can read was taken',
        !taken(0o600) && 'a file of its owner alone was refused',
      ],
    );
  },
};

export const secretChecks: CheckGroup = {
  name: 'Secrets',
  checks: [redaction, sealed, environment, masterKeyFile],
};
