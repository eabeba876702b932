import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createKnownSecrets, type KnownSecretsSource } from './known-secrets.ts';
import { createRedactor } from './redactor.ts';
import { variantsOf } from './variants.ts';

const KEY = 'sk-live-8fJ2/kQ+xW5"tZ&p9';
const OTHER = 'ghp_Zk3VbN8mQw2RtY7uLp';

let time = 0;
let known: KnownSecretsSource;
const clock = { now: () => time, monotonic: () => time };

beforeEach(() => {
  time = 1_000;
  known = createKnownSecrets({ clock });
});

const redact = (text: string): string => createRedactor(known).text(text).value;

describe('a text', () => {
  it('keeps what is no secret, and says that nothing was hidden', () => {
    known.add('KEY', KEY);
    expect(createRedactor(known).text('sk-live-8fJ2 is only a piece')).toEqual({
      value: 'sk-live-8fJ2 is only a piece',
      hidden: {},
    });
  });

  it('shows the marker with the name instead of the value and counts it', () => {
    known.add('KEY', KEY);
    known.add('OTHER', OTHER);
    expect(createRedactor(known).text(`a ${KEY} b ${OTHER}${OTHER}.`)).toEqual({
      value: 'a [REDACTED:KEY] b [REDACTED:OTHER][REDACTED:OTHER].',
      hidden: { KEY: 1, OTHER: 2 },
    });
  });

  it.each([
    ['as a JSON string', JSON.stringify({ a: KEY })],
    ['as JSON inside JSON', JSON.stringify(JSON.stringify({ a: KEY }))],
    ['in a URL query', `https://x.example/?k=${encodeURIComponent(KEY)}&z`],
    ['in a form body', new URLSearchParams({ k: KEY }).toString()],
    [
      'in lower-case percent-encoding',
      encodeURIComponent(KEY).replaceAll(/%../g, (code) => code.toLowerCase()),
    ],
    ['in base64', Buffer.from(KEY).toString('base64')],
    ['in base64url', Buffer.from(KEY).toString('base64url')],
    ['in basic authentication', Buffer.from(`me:${KEY}`).toString('base64')],
    ['in base64 behind two bytes', Buffer.from(`me${KEY} and more`).toString('base64')],
    ['in hex', Buffer.from(KEY).toString('hex')],
    ['in upper-case hex', Buffer.from(KEY).toString('hex').toUpperCase()],
    ['backwards', [...KEY].reverse().join('')],
    ['in HTML', KEY.replaceAll('&', '&amp;').replaceAll('"', '&quot;')],
  ])('hides a value %s', (_how, text) => {
    known.add('KEY', KEY);
    expect(redact(text)).toContain('[REDACTED:KEY]');
    for (const form of variantsOf(KEY)) expect(redact(text)).not.toContain(form);
  });

  it('hides a value with letters beyond ASCII when JSON escapes them', () => {
    const value = 'pass-ÄÖÜ-9x7QzR2v';
    known.add('KEY', value);
    expect(redact('x pass-\\u00c4\\u00d6\\u00dc-9x7QzR2v y')).toBe('x [REDACTED:KEY] y');
    expect(redact('x pass-\\u00C4\\u00D6\\u00DC-9x7QzR2v y')).toBe('x [REDACTED:KEY] y');
  });

  it('names the longer one when one secret contains the other', () => {
    known.add('SHORT', OTHER);
    known.add('LONG', `${OTHER}-and-7Kq2Xv9`);
    expect(redact(`(${OTHER}-and-7Kq2Xv9) (${OTHER})`)).toBe('([REDACTED:LONG]) ([REDACTED:SHORT])');
  });

  it('finds a secret inside the beginning of a longer one that does not go on', () => {
    known.add('INNER', OTHER);
    known.add('OUTER', `before-7Kq2Xv9-${OTHER}-after-5Tz`);
    expect(redact(`before-7Kq2Xv9-${OTHER}-aft`)).toBe('before-7Kq2Xv9-[REDACTED:INNER]-aft');
  });

  it('leaves no piece of two secrets that overlap', () => {
    known.add('LEFT', 'aK3vQ9xT2mZ7wLpR5n');
    known.add('RIGHT', 'LpR5nB8yH4jD6sF1');
    expect(redact('<aK3vQ9xT2mZ7wLpR5nB8yH4jD6sF1>')).toBe('<[REDACTED:LEFT]>');
  });

  it('leaves no piece of two secrets, however far they overlap', () => {
    const left = 'aK3vQ9xT2mZ7wLpR5n';
    for (let shared = 1; shared < left.length; shared += 1) {
      const fresh = createKnownSecrets({ clock });
      const rest = 'B8yH4jD6sF1Gc0';
      fresh.add('LEFT', left);
      fresh.add('RIGHT', left.slice(-shared) + rest);
      const shown = createRedactor(fresh).text(`<${left}${rest}>`).value;
      expect(shown, `${shared} shared`).toMatch(/^<\[REDACTED:(LEFT|RIGHT)\]>$/);
    }
  });

  it('never matches a weak value: that would tell a model which guess was right', () => {
    expect(known.add('PIN', '4711').strong).toBe(false);
    expect(known.add('WORD', 'password1234').strong).toBe(false);
    expect(redact('4711 password1234')).toBe('4711 password1234');
  });

  it('shows a name in which nothing needs escaping', () => {
    known.add('_my "key"]<b>', OTHER);
    expect(redact(OTHER)).toBe('[REDACTED:_my__key___b_]');
  });

  it('hides a value of many pages, in a JSON text too', () => {
    const value = Array.from({ length: 3_000 }, (_, index) => `${(index * 7919) ** 2}\n`).join('');
    known.add('CERTIFICATE', value);
    const bare = value.trim();
    expect(redact(`<${bare}>`)).toBe('<[REDACTED:CERTIFICATE]>');
    expect(redact(JSON.stringify({ bare }))).toBe('{"bare":"[REDACTED:CERTIFICATE]"}');
  });

  it('hides a pasted value without the white space around it', () => {
    known.add('KEY', ` ${OTHER}\n`);
    expect(redact(`x${OTHER}x`)).toBe('x[REDACTED:KEY]x');
  });

  it('hides a retired value until its time is over', () => {
    const secret = known.add('OLD', OTHER, { keepMs: 500 });
    secret.retire();
    time += 499;
    expect(redact(OTHER)).toBe('[REDACTED:OLD]');
    time += 1;
    expect(redact(OTHER)).toBe(OTHER);
  });

  it('goes on hiding a value that one of two owners retired', () => {
    known.add('A', OTHER, { keepMs: 0 }).retire();
    known.add('B', OTHER);
    expect(redact(OTHER)).toBe('[REDACTED:B]');
  });

  it('hides key bytes in their text forms', () => {
    const bytes = new Uint8Array(32).map((_, index) => (index * 73 + 11) % 256);
    known.addBytes('MASTER_KEY', bytes);
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      expect(redact(`k=${Buffer.from(bytes).toString(encoding)};`)).toBe('k=[REDACTED:MASTER_KEY];');
    }
  });

  it('finds every one of a hundred values, however they were added', () => {
    const values = Array.from(
      { length: 100 },
      (_, index) => `tok-${(index * 7919 + 104_729) ** 3}-Qx${index}`,
    );
    for (const [index, value] of values.entries()) {
      known.add(`T${index}`, value);
      expect(redact(`(${value})`)).toBe(`([REDACTED:T${index}])`);
    }
    expect(redact(values.join(' '))).toBe(values.map((_, index) => `[REDACTED:T${index}]`).join(' '));
  });
});

describe('a JSON value', () => {
  it('is searched in keys, strings and numbers at every depth', () => {
    known.add('KEY', OTHER);
    known.add('NUMBER', '7391846205173');
    known.add('LONG', '739184620517382');
    const { value, hidden } = createRedactor(known).json({
      list: [1, { [OTHER]: `x${OTHER}` }],
      id: 739_184_620_517_382,
      ok: true,
      nothing: null,
    });
    expect(value).toEqual({
      list: [1, { '[REDACTED:KEY]': 'x[REDACTED:KEY]' }],
      id: '[REDACTED:LONG]',
      ok: true,
      nothing: null,
    });
    expect(hidden).toEqual({ KEY: 2, LONG: 1 });
  });

  it('loses no value when two keys become the same marker', () => {
    known.add('KEY', OTHER);
    const hex = Buffer.from(OTHER).toString('hex');
    expect(createRedactor(known).json({ [OTHER]: 1, [hex]: 2 }).value).toEqual({
      '[REDACTED:KEY]': 1,
      '[REDACTED:KEY]#2': 2,
    });
  });

  it('keeps a key named __proto__ a plain key', () => {
    const { value } = createRedactor(known).json(JSON.parse('{"__proto__": {"a": 1}}') as object);
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('leaves out what is nested too deeply or refers to itself', () => {
    known.add('KEY', OTHER);
    let deep: unknown = OTHER;
    for (let level = 0; level < 5_000; level += 1) deep = [deep];
    expect(JSON.stringify(createRedactor(known).json(deep).value)).not.toContain(OTHER);
    const self: Record<string, unknown> = { key: OTHER };
    self['self'] = self;
    expect(JSON.stringify(createRedactor(known).json(self).value)).not.toContain(OTHER);
  });

  it('searches what an object says of itself', () => {
    known.add('KEY', OTHER);
    expect(createRedactor(known).json({ a: { toJSON: () => OTHER }, b: new Error(OTHER) }).value).toEqual({
      a: '[REDACTED:KEY]',
      b: { name: 'Error', message: '[REDACTED:KEY]' },
    });
  });
});

describe('a stream', () => {
  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        'aK3vQ9xT2mZ7wLpR5n',
        'LpR5nB8yH4jD6sF1',
        'B8yH4jD6sF1',
        'aK3vQ9',
        'xT2mZ7wLpR5n',
        '😀',
        '\ud83d',
      ),
      fc.constantFrom(...variantsOf('aK3vQ9xT2mZ7wLpR5n')),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 12 },
  );

  it('gives the same as the whole text for every cut into chunks', () => {
    known.add('LEFT', 'aK3vQ9xT2mZ7wLpR5n');
    known.add('RIGHT', 'LpR5nB8yH4jD6sF1');
    const redactor = createRedactor(known);
    fc.assert(
      fc.property(pieces, fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 20 }), (parts, cuts) => {
        const text = parts.join('');
        const whole = redactor.text(text);
        const stream = redactor.stream();
        let out = '';
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          out += stream.push(text.slice(at, at + size));
          at += size === 0 && cuts.every((cut) => cut === 0) ? text.length : size;
        }
        if (cuts.every((cut) => cut === 0)) out = ((rest) => out + rest)(stream.push(text));
        out += stream.end();
        expect(out).toBe(whole.value);
        expect(stream.hidden).toEqual(whole.hidden);
      }),
      { numRuns: 500 },
    );
  });

  it('hides every form, and agrees with a search that knows nothing of automata', () => {
    const secrets = { LEFT: 'aK3vQ9xT2mZ7wLpR5n', RIGHT: 'LpR5nB8yH4jD6sF1' };
    for (const [name, value] of Object.entries(secrets)) known.add(name, value);
    const forms = Object.values(secrets).flatMap((value) => variantsOf(value));
    const redactor = createRedactor(known);
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        const covered = new Uint8Array(text.length);
        for (const form of forms) {
          for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1)) {
            covered.fill(1, at, at + form.length);
          }
        }
        const kept = [...covered.keys()].filter((at) => covered[at] === 0).map((at) => text[at]);
        expect(redactor.text(text).value.replaceAll(/\[REDACTED:(LEFT|RIGHT)\]/g, '')).toBe(kept.join(''));
      }),
      { numRuns: 500 },
    );
  });

  it('gives out at once what can be no secret, and holds back what may become one', () => {
    known.add('KEY', OTHER);
    const stream = createRedactor(known).stream();
    expect(stream.push('hello ')).toBe('hello ');
    expect(stream.push(`it is ${OTHER.slice(0, 8)}`)).toBe('it is ');
    expect(stream.push(OTHER.slice(8, 20))).toBe('');
    expect(stream.push(`${OTHER.slice(20)}!`)).toBe('[REDACTED:KEY]!');
    expect(stream.push(OTHER.slice(0, 8))).toBe('');
    expect(stream.end()).toBe(OTHER.slice(0, 8));
  });

  it('goes on hiding the inner one of two when the outer one is forgotten meanwhile', () => {
    known.add('INNER', OTHER);
    const outer = known.add('OUTER', `before-7Kq2Xv9-${OTHER}`, { keepMs: 10 });
    outer.retire();
    const stream = createRedactor(known).stream();
    time += 20;
    expect(stream.push(`before-7Kq2Xv9-${OTHER}`) + stream.end()).toBe('before-7Kq2Xv9-[REDACTED:INNER]');
  });

  it('never cuts a character in two', () => {
    known.add('KEY', OTHER);
    const stream = createRedactor(known).stream();
    expect(stream.push('a\ud83d')).toBe('a');
    expect(stream.push('\ude00b')).toBe('😀b');
  });
});

describe('effort', () => {
  it('grows with the length of the text, also for a text made to be slow', () => {
    const values = Array.from(
      { length: 200 },
      (_, index) => `Zq${index}x${'ab'.repeat(9)}K7v${(index * 7919) ** 2}`,
    );
    for (const [index, value] of values.entries()) known.add(`S${index}`, value);
    const redactor = createRedactor(known);
    redactor.text('first use builds the automaton');
    const evil = 'ab'.repeat(64 * 1024);
    const took = (text: string): number => {
      const from = performance.now();
      redactor.text(text);
      return performance.now() - from;
    };
    took(evil);
    const small = Math.min(took(evil), took(evil), took(evil));
    const large = Math.min(took(evil.repeat(8)), took(evil.repeat(8)));
    expect(large / small).toBeLessThan(24);
  });
});
