import { randomBytes } from 'node:crypto';
import type { Program } from '../program.ts';
import type { Ask, PageAnswer } from './bench.ts';

/** What came of the attempts to set up, made before the first account was there. */
export interface SetupTrial {
  readonly weakPassword: PageAnswer;
  readonly wrongCode: PageAnswer;
  readonly early: PageAnswer;
  readonly second: PageAnswer;
  /** The refresh cookie's whole line. */
  readonly cookie: string;
  /** A login cookie that was used, the one that replaced it, and when, on the monotonic clock. */
  readonly used: { readonly cookie: string; readonly next: string; readonly at: number };
  readonly username: string;
  readonly password: string;
  readonly token: string;
}

const WEAK = 'password1234';

export async function setUp(ask: Ask, program: Program): Promise<SetupTrial> {
  const username = 'doctor';
  const password = `Aq ${randomBytes(18).toString('base64')}`;
  const code = program.setup?.code ?? '';
  const make = (secret: string, setupCode: string): Promise<PageAnswer> =>
    ask({
      method: 'POST',
      path: '/api/setup',
      body: { username, password: secret, confirm_password: secret, setup_code: setupCode },
    });
  const early = await ask({ path: '/api/sessions' });
  const weakPassword = await make(WEAK, code);
  const wrongCode = await make(password, 'AAAA-AAAA-AAAA-AAAA');
  const made = await make(password, code);
  const token = made.json['access_token'];
  if (made.status !== 200 || typeof token !== 'string') {
    throw new Error(`the setup of the trial failed with ${made.status}: ${made.text}`);
  }
  const second = await make(password, code);
  const profile = await ask({
    method: 'POST',
    path: '/api/setup/profile',
    token,
    body: { agent_name: 'Doctor', personality: 'direct', user_name: 'Doctor', timezone: 'UTC' },
  });
  if (profile.status !== 200) throw new Error(`the profile of the trial was refused: ${profile.text}`);
  const cookie = made.headers['set-cookie']?.[0] ?? '';
  const login = await ask({ method: 'POST', path: '/api/auth/login', body: { username, password } });
  const first = cookieOf(login);
  const next = cookieOf(await ask({ path: '/api/session', headers: { cookie: first } }));
  const used = { cookie: first, next, at: performance.now() };
  return { weakPassword, wrongCode, early, second, cookie, used, username, password, token };
}

function cookieOf({ headers }: PageAnswer): string {
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}
