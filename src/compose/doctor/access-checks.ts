import { setTimeout as wait } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { createAddressList } from '../../edge/admin/options.ts';
import type { Bench, PageAnswer } from './bench.ts';
import { judged, notHere, offByConfig, type Check, type CheckGroup } from './control.ts';

/** Reserved for documents (RFC 5737); in none of the trial's own lists. */
const STRANGER = '203.0.113.77';

/** Routes of every kind; none may answer without a token. */
const PROTECTED: readonly (readonly [string, string])[] = [
  ['GET', '/api/sessions'],
  ['POST', '/api/sessions'],
  ['GET', '/api/approvals'],
  ['GET', '/api/audit'],
  ['GET', '/api/llm/upstreams'],
  ['PUT', '/api/llm/upstreams/demo'],
  ['GET', '/api/policy'],
  ['PUT', '/api/policy'],
  ['PUT', '/api/budgets'],
  ['GET', '/api/auth/me'],
  ['POST', '/api/auth/ws-ticket'],
  ['POST', '/api/auth/password'],
  ['POST', '/api/turns/stop'],
];

const setupCode: Check = {
  ids: ['S-34'],
  title: 'first account',
  run({ setup: { early, wrongCode, second } }) {
    return judged(
      'Asked for data before the setup, set up with a wrong code, and set up a second time: all refused',
      [
        early.status !== 503 && early.status !== 401 && `data before the setup got ${early.status}`,
        wrongCode.status !== 403 && `the wrong code got ${wrongCode.status}`,
        second.status < 400 && 'a second account was made',
      ],
    );
  },
};

const strongPassword: Check = {
  ids: ['S-66'],
  title: 'strong password',
  run: ({ setup: { weakPassword } }) =>
    judged('Set up with "password1234": refused', [
      weakPassword.json['error'] !== 'invalid_password' && `it got ${weakPassword.status}`,
    ]),
};

const everyRoute: Check = {
  ids: ['S-40', 'S-91'],
  title: 'login for every request',
  async run({ ask }) {
    const wrong: string[] = [];
    for (const [method, path] of PROTECTED) {
      const { status } = await ask({ method, path, token: null, ...(method === 'GET' ? {} : { body: {} }) });
      if (status !== 401) wrong.push(`${method} ${path} without a token got ${status}`);
    }
    return judged(`Asked ${PROTECTED.length} routes without a token: each 401`, wrong);
  },
};

const signedTokens: Check = {
  ids: ['S-33', 'S-65'],
  title: 'signed tokens',
  async run({ ask, setup }) {
    const [head = '', body = '', signature = ''] = setup.token.split('.');
    const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const turned = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const forged = { unsigned: `${unsigned}.${body}.`, changed: `${head}.${body}.${turned}` };
    const { token: second } = await login({ ask, setup });
    const loggedIn = await ask({ path: '/api/auth/me', token: second });
    await ask({ method: 'POST', path: '/api/auth/logout', token: second });
    const after = await ask({ path: '/api/auth/me', token: second });
    const wrong = [
      loggedIn.status !== 200 && `a new login got ${loggedIn.status}`,
      after.status !== 401 && `its token got ${after.status} after the logout`,
    ];
    for (const [name, token] of Object.entries(forged)) {
      const { status } = await ask({ path: '/api/auth/me', token });
      wrong.push(status !== 401 && `an ${name} token got ${status}`);
    }
    return judged(
      'Sent a token without signature, one with a changed signature, and one after its logout: each 401',
      wrong,
    );
  },
};

const shortTokens: Check = {
  ids: ['S-67'],
  title: 'short-lived tokens',
  run({ setup: { token }, wanted }) {
    const { exp = Number.NaN, iat = Number.NaN } = decodeJwt(token);
    const seconds = exp - iat;
    const asked = wanted.admin.jwt.accessExpiryMs / 1000;
    return judged(`Read the expiry out of a token just issued: ${seconds / 60} minutes`, [
      seconds !== asked && `${asked / 60} minutes are configured`,
      !(seconds <= 3600) && 'that is more than an hour',
    ]);
  },
};

const cookies: Check = {
  ids: ['S-68'],
  title: 'login cookie',
  async run({ ask, setup }) {
    const secure = await login({ ask, setup }, { 'x-forwarded-proto': 'https' });
    return judged(
      'Logged in and read the cookie: HttpOnly, SameSite=Strict, and Secure where it came over TLS',
      [
        !/; HttpOnly/.test(setup.cookie) && 'it is not HttpOnly',
        !/; SameSite=Strict/.test(setup.cookie) && 'it is not SameSite=Strict',
        !/; Path=\/api\/session;/.test(setup.cookie) && 'it is sent to more than one path',
        !/; Secure/.test(secure.cookie) && 'over TLS it is not Secure',
      ],
    );
  },
};

const sessions: Check = {
  ids: ['S-41'],
  title: 'sessions',
  async run({ ask, setup }) {
    const other = await login({ ask, setup }, { 'user-agent': 'second' });
    const listed = await ask({ path: '/api/auth/sessions' });
    const all = (listed.json['sessions'] ?? []) as readonly { id: string; user_agent: string }[];
    const found = all.find((session) => session.user_agent === 'second');
    const ended = await ask({ method: 'DELETE', path: `/api/auth/sessions/${found?.id ?? 'none'}` });
    const after = await ask({ path: '/api/auth/me', token: other.token });
    return judged('Logged in a second time, saw both sessions, ended the other: its token was dead at once', [
      found === undefined && 'the second session was not listed',
      ended.status !== 204 && `ending got ${ended.status}`,
      after.status !== 401 && `its token still got ${after.status}`,
    ]);
  },
};

const guessing: Check = {
  ids: ['S-35', 'S-64', 'S-77'],
  title: 'guessing passwords',
  async run({ ask, setup, program }) {
    const statuses: number[] = [];
    for (let i = 1; i <= 6; i += 1) {
      const { status } = await ask({
        method: 'POST',
        path: '/api/auth/login',
        token: null,
        client: STRANGER_IN_LIST,
        body: { username: setup.username, password: `wrong guess ${i}` },
      });
      statuses.push(status);
    }
    const events = program.inside.base.audit.list({ event: 'login.', limit: 50 });
    const seen = (name: string): number =>
      events.filter(({ event, actor }) => event === name && actor.includes(STRANGER_IN_LIST)).length;
    return judged(`Sent six wrong passwords from one address: ${statuses.join(', ')}`, [
      statuses[5] !== 429 && 'the sixth was not refused with 429',
      seen('login.failed') !== 5 && `${seen('login.failed')} failures stand in the audit log`,
      seen('login.limited') !== 1 && 'the limit does not stand in the audit log',
    ]);
  },
};
const STRANGER_IN_LIST = '198.51.100.250';

const requestRate: Check = {
  ids: ['S-29'],
  title: 'request rate',
  async run({ ask, wanted }) {
    const { burst, rate } = wanted.server.rateLimit;
    // Requests take time, in which the bucket fills again.
    const most = Math.min(burst * 2 + rate * 10, 5_000);
    for (let sent = 1; sent <= most; sent += 1) {
      const { status } = await ask({ path: '/api/version', client: '198.51.100.251', token: null });
      if (status === 429) return judged(`Sent requests as fast as possible: number ${sent} got 429`, []);
    }
    return judged(`Sent ${most} requests as fast as possible`, ['none got 429']);
  },
};

const addressList: Check = {
  ids: ['S-36', 'S-76'],
  title: 'allowed addresses',
  async run({ ask, wanted }) {
    const { allowedIps } = wanted.admin;
    const { status } = await ask({ path: '/api/version', client: STRANGER, token: null });
    if (allowedIps.length === 0) {
      return offByConfig(
        `Asked as ${STRANGER}: ${status}. admin.allowed_ips is empty, so everybody may ask.`,
      );
    }
    if (createAddressList('admin.allowed_ips', allowedIps)(STRANGER)) {
      return offByConfig(`admin.allowed_ips lets even ${STRANGER} in, which belongs to nobody.`);
    }
    return judged(`Asked as ${STRANGER}, which is not in admin.allowed_ips: ${status}`, [
      status !== 403 && 'it was not refused',
    ]);
  },
};

const forwarded: Check = {
  ids: ['S-37'],
  title: 'forwarded addresses',
  async run({ ask, program, wanted }) {
    const guess = async (direct: boolean, claimed: string): Promise<string> => {
      await ask({
        method: 'POST',
        path: '/api/auth/login',
        token: null,
        direct,
        client: claimed,
        headers: { 'x-forwarded-for': claimed },
        body: { username: `nobody-${claimed}`, password: 'wrong guess' },
      });
      return program.inside.base.audit.list({ event: 'login.failed', limit: 1 })[0]?.actor ?? '';
    };
    const trusted = await guess(false, '198.51.100.240');
    const ours = createAddressList('admin.trusted_proxies', wanted.admin.trustedProxies)('127.0.0.1');
    if (ours || process.platform !== 'linux') {
      return judged(
        'Sent X-Forwarded-For from a trusted proxy: believed. No untrusted address can be had here',
        [!trusted.includes('198.51.100.240') && `it was taken for ${trusted}`],
      );
    }
    const claimed = await guess(true, '198.51.100.241');
    return judged(
      'Sent X-Forwarded-For from a trusted proxy (believed) and from an untrusted one (not believed)',
      [
        !trusted.includes('198.51.100.240') && `the trusted one was taken for ${trusted}`,
        !claimed.includes('127.0.0.1') && `the untrusted one was taken for ${claimed}`,
      ],
    );
  },
};

const otherSites: Check = {
  ids: ['S-42'],
  title: 'pages of other sites',
  async run({ ask }) {
    const foreign = { origin: 'https://evil.example' };
    const ticket = await ask({ method: 'POST', path: '/api/auth/ws-ticket', body: {} });
    const made = await ask({ method: 'POST', path: '/api/sessions', body: {} });
    const chat = `/api/sessions/${String(made.json['id'])}/chat?ticket=${String(ticket.json['ticket'])}&after=0`;
    const upgrade = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': Buffer.from('sixteen bytes ok').toString('base64'),
    };
    const answers: Readonly<Record<string, PageAnswer>> = {
      'a foreign Origin': await ask({ path: '/api/sessions', headers: foreign }),
      'a request that the browser calls cross-site': await ask({
        path: '/api/sessions',
        headers: { 'sec-fetch-site': 'cross-site' },
      }),
      'a foreign Host': await ask({ path: '/api/version', headers: { host: 'evil.example' } }),
      'a WebSocket with a foreign Origin': await ask({ path: chat, headers: { ...upgrade, ...foreign } }),
    };
    const own = await ask({ path: chat, headers: upgrade });
    return judged(
      'Sent a foreign Origin, a foreign Host and a WebSocket of another site, with good tokens: refused',
      [
        ...Object.entries(answers).map(([name, { status }]) => status !== 403 && `${name} got ${status}`),
        own.status !== 101 && `our own WebSocket got ${own.status}`,
      ],
    );
  },
};

/** Within ten seconds a second use is taken for two tabs of the owner. */
const GRACE_MS = 10_500;

const replay: Check = {
  ids: ['refresh'],
  title: 'stolen login cookies',
  async run({ ask, setup: { used } }) {
    await wait(Math.max(0, used.at + GRACE_MS - performance.now()));
    const replayed = await ask({ path: '/api/session', token: null, headers: { cookie: used.cookie } });
    const after = await ask({ path: '/api/session', token: null, headers: { cookie: used.next } });
    return judged(
      'Used a login cookie a second time, ten seconds after it was replaced: refused, and its session ended',
      [
        (used.next === '' || used.next === used.cookie) && 'it was not replaced at its first use',
        replayed.status !== 401 && `it got ${replayed.status}`,
        after.status !== 401 && `the one that replaced it got ${after.status}`,
      ],
    );
  },
};

const changePassword: Check = {
  ids: ['S-73'],
  title: 'changing the password',
  async run({ ask, setup }) {
    const change = (current: string, next: string): Promise<PageAnswer> =>
      ask({
        method: 'POST',
        path: '/api/auth/password',
        body: { current_password: current, new_password: next, confirm_password: next },
      });
    const wrong = await change('not the password', `${setup.password} 2`);
    const weak = await change(setup.password, 'password1234');
    const still = await login({ ask, setup });
    return judged('Tried to change the password without the old one, and to a weak one: refused', [
      wrong.status < 400 && 'the wrong old password was taken',
      weak.json['error'] !== 'invalid_password' && `the weak one got ${weak.status}`,
      still.token === '' && 'the old password does not work any more',
    ]);
  },
};

const proxyRules: Check = {
  ids: ['S-38', 'S-39'],
  title: 'rules of a proxy in front',
  run: ({ wanted }) =>
    notHere(
      wanted.admin.trustedProxies.length === 0
        ? 'No proxy is configured (admin.trusted_proxies), so there is none to try.'
        : 'What the proxy in front refuses never comes here, so it can not be seen from here; docs/docker-security.md says how to try it.',
    ),
};

const largeBody: Check = {
  ids: ['paths'],
  title: 'bodies and paths',
  async run({ ask }) {
    const large = await ask({
      method: 'POST',
      path: '/api/sessions',
      body: `{"title":"${'x'.repeat(2 ** 21)}"}`,
    });
    const paths = [
      '/../secure/config.yaml',
      '/%2e%2e/secure/config.yaml',
      '/assets/..%2f..%2fsecure%2fconfig.yaml',
    ];
    const wrong: string[] = [];
    for (const path of paths) {
      const { status, text } = await ask({ path, token: null });
      if (status === 200 && !text.includes('<html')) wrong.push(`${path} got ${status}`);
    }
    return judged('Posted 2 MiB, and asked for three paths out of the page: refused', [
      ![413, 0].includes(large.status) && `2 MiB got ${large.status}`,
      ...wrong,
    ]);
  },
};

async function login(
  { ask, setup }: Pick<Bench, 'ask' | 'setup'>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly token: string; readonly cookie: string }> {
  const answer = await ask({
    method: 'POST',
    path: '/api/auth/login',
    token: null,
    headers,
    body: { username: setup.username, password: setup.password },
  });
  const token = answer.json['access_token'];
  return { token: typeof token === 'string' ? token : '', cookie: answer.headers['set-cookie']?.[0] ?? '' };
}

export const accessChecks: CheckGroup = {
  name: 'Access',
  checks: [
    setupCode,
    strongPassword,
    everyRoute,
    signedTokens,
    shortTokens,
    cookies,
    sessions,
    guessing,
    requestRate,
    addressList,
    forwarded,
    proxyRules,
    otherSites,
    changePassword,
    largeBody,
    // Waits for its ten seconds, which the others use up.
    replay,
  ],
};
