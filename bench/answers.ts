/**
 * How long the search of an answer of 10 MiB for secrets keeps the event loop: by kind of answer, the whole work and the
 * longest piece of it in which nothing else could happen. In processor time of the thread, so that what else the machine
 * does counts less.
 */
import { createScriptBroker, fixedSecrets, parseGrant } from '../src/guard/secrets/broker/index.ts';

const MIB = 1024 * 1024;
const SIZE = 10 * MIB - 64;
const KEY = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const filled = (piece: string): string => piece.repeat(Math.ceil(SIZE / piece.length)).slice(0, SIZE);

const BODIES: Readonly<Record<string, string>> = {
  'plain text': filled('the quick brown fox jumps over the lazy dog. '),
  'JSON records': `[${filled('{"id":1,"name":"fox","token":"x","n":[1,2]},').slice(0, -8)}0]`,
  'escapes everywhere': filled('\\u0067%68&#112;'),
  backslashes: filled('\\'),
  'nearly the secret': filled(KEY.slice(0, -1)),
  'the secret again and again': filled(`${KEY} `),
  'hex of the secret': filled(`${Buffer.from(KEY).toString('hex')},`),
  'base64 of the secret in one word': filled(Buffer.from(`${KEY}--`).toString('base64')),
  'control characters': filled('\u0001'),
  'many fields': filled('token=abc&'),
  'fields of one value': `{${filled('"token":"Zq8vR2mX7pLw4TnBc91K","b":1,').slice(0, -40)}"a":1}`,
};

function cpu(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function measured(
  body: string,
  type: string,
): Promise<{ whole: number; longest: number; said: string }> {
  const broker = createScriptBroker({
    grant: parseGrant({ secrets: { KEY: ['api.example.com'] }, hosts: [], methods: ['GET'] }),
    secrets: fixedSecrets(new Map([['KEY', KEY]])),
    watcher: { notice: () => undefined },
    remainingMs: () => 60_000,
  });
  const bytes = Buffer.from(body);
  let longest = 0;
  let last = cpu();
  let on = true;
  const tick = (): void => {
    const now = cpu();
    longest = Math.max(longest, now - last);
    last = now;
    if (on) setImmediate(tick);
  };
  const question = {
    op: 'http',
    method: 'GET',
    url: ['https://api.example.com/'],
    headers: [['x-key', [['ref', 'KEY']]]],
    body: [],
  };
  let began = 0;
  const line = await broker.handle(JSON.stringify(question), async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    began = last = cpu();
    setImmediate(tick);
    return { status: 200, headers: [['content-type', type]] as const, body: bytes };
  });
  const whole = cpu() - began;
  await new Promise((resolve) => setImmediate(resolve));
  on = false;
  const answer = JSON.parse(line) as { refused?: { code: string }; response?: { body: unknown[] } };
  return { whole, longest, said: answer.refused?.code ?? `${answer.response?.body.length} pieces` };
}

console.log(`${''.padEnd(34)} whole ms  longest ms`);
for (const [name, body] of Object.entries(BODIES)) {
  const type = name === 'many fields' ? 'application/x-www-form-urlencoded' : 'text/plain';
  const { whole, longest, said } = await measured(body, type);
  const [a, b] = [whole, longest].map((ms) => ms.toFixed(0).padStart(8));
  console.log(`${name.padEnd(34)} ${a} ${b}     ${said}`);
}
