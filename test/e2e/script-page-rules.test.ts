/** What the pages of scripts decide by themselves, without a browser. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Script, ScriptGrantView } from '../../src/edge/admin/api.ts';
import { diffLines, folded } from '../../web/src/code/diff-lines.ts';
import { additions, cannotExtend, extended, placesFor } from '../../web/src/scripts/extend-grant.ts';
import { readJson } from '../../web/src/scripts/json-field.ts';
import { narrowed, nothingLeftOut, readQuota } from '../../web/src/scripts/narrow-grant.ts';

const text = fc
  .array(fc.constantFrom('a', 'b', 'return x', '', '\r', '\u202e', 'a  '), { maxLength: 30 })
  .map((lines) => lines.join('\n'));

describe('a difference', () => {
  it('holds every line of both texts, in order, with its number, whatever they are', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const lines = diffLines(before, after);
        for (const [side, whole, other] of [
          ['before', before, 'added'],
          ['after', after, 'removed'],
        ] as const) {
          const mine = lines.flatMap((line) =>
            line.kind === 'skipped' || line.kind === other ? [] : [line],
          );
          expect(mine.map((line) => line.text).join('\n')).toBe(whole);
          expect(mine.map((line) => line[side])).toEqual(mine.map((_, index) => index + 1));
        }
        if (before !== after) expect(lines.some(({ kind }) => kind !== 'same')).toBe(true);
      }),
    );
  });

  it.each([
    ['\n\nb\na', '\nb\na', ['removed 2', 'same ', 'same b', 'same a']],
    ['\nb', '\n\nb', ['added 2', 'same ', 'same b']],
    ['', '\n', ['same ', 'added 1']],
  ])(
    'of texts that begin with an empty line, %j and %j, shows the line that came or went',
    (before, after, all) => {
      const shown = diffLines(before, after).map((line) =>
        line.kind === 'same'
          ? `same ${line.text}`
          : line.kind === 'skipped'
            ? 'skipped'
            : `${line.kind} ${line.before ?? line.after}`,
      );
      expect(shown.toSorted()).toEqual(all.toSorted());
    },
  );

  it('leaves out only lines that did not change, and says how many', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const all = diffLines(before, after);
        const few = folded(all, 1);
        const left = few.reduce((sum, line) => sum + (line.kind === 'skipped' ? line.count : 1), 0);
        expect(left).toBe(all.length);
        const changed = (lines: typeof all) =>
          lines.filter(({ kind }) => kind === 'added' || kind === 'removed');
        expect(changed(few)).toEqual(changed(all));
      }),
    );
  });
});

const GRANT: ScriptGrantView = {
  secrets: { HAS: { origins: ['https://a.example'], in: ['header:authorization'] } },
  hosts: ['b.example'],
  methods: ['GET'],
  hidden_fields: ['pin'],
  expires_at: '2030-01-01T00:00:00.000Z',
  quotas: { runs_per_hour: 5 },
};
const SCRIPT = {
  hash: 'sha256:1',
  approved_hash: 'sha256:1',
  refused: null,
  grant: GRANT,
  required_secrets: ['HAS', 'WANTS', 'NOWHERE'],
  proposed_grant: {
    secrets: { WANTS: ['a.example', 'c.example'], NOWHERE: ['c.example'] },
    hosts: [],
    methods: [],
  },
} as unknown as Script;
const offer = (kind: 'host' | 'method' | 'secret', what: string) => ({
  kind,
  what,
  hash: 'sha256:1',
  times: 1,
  last_at: '',
});

describe('extending a grant from an offer', () => {
  it('adds exactly what was offered, and keeps everything else as it is', () => {
    expect(extended(GRANT, offer('host', 'c.example'), [])).toEqual({
      ...GRANT,
      hosts: ['b.example', 'c.example'],
    });
    expect(extended(GRANT, offer('method', 'POST'), [])).toEqual({ ...GRANT, methods: ['GET', 'POST'] });
    expect(extended(GRANT, offer('secret', 'WANTS'), ['a.example'])).toEqual({
      ...GRANT,
      secrets: { ...GRANT.secrets, WANTS: ['a.example'] },
    });
  });

  it('sends a secret only where the text wants it and the grant already reaches', () => {
    expect(placesFor(SCRIPT, GRANT, 'WANTS')).toEqual(['a.example']);
    expect(cannotExtend(SCRIPT, offer('secret', 'WANTS'))).toBeNull();
    expect(cannotExtend(SCRIPT, offer('secret', 'NOWHERE'))).toContain('no host');
    expect(cannotExtend(SCRIPT, offer('secret', 'UNDECLARED'))).toContain('does not declare');
  });

  it('waits for a decision on a newer version, and for a new approval of one that ran out', () => {
    expect(cannotExtend({ ...SCRIPT, hash: 'sha256:2' }, offer('host', 'c.example'))).toContain('newest');
    const refused = { code: 'approval_expired', message: '' };
    expect(cannotExtend({ ...SCRIPT, refused }, offer('host', 'c.example'))).toContain('run out');
  });

  it('says what a method opens: every host, those of secrets too', () => {
    expect(additions(GRANT, offer('method', 'POST'), [])).toContain('a.example, b.example');
  });
});

describe('limits of an hour', () => {
  const most = { runs_per_hour: 100, requests_per_hour: 100, bytes_per_hour: 10 * 1024 * 1024 };

  it.each([
    ['runs_per_hour', '', undefined],
    ['runs_per_hour', '7', 7],
    ['runs_per_hour', '0', 0],
    ['runs_per_hour', '1.5', null],
    ['runs_per_hour', '-1', null],
    ['runs_per_hour', '101', null],
    ['runs_per_hour', 'x', null],
    ['bytes_per_hour', '0.5', 512 * 1024],
    ['bytes_per_hour', '11', null],
  ] as const)('%s of "%s" is %s', (name, typed, value) => {
    expect(readQuota(name, typed, most)).toBe(value);
  });

  it('go into the grant only where something was typed', () => {
    const without = nothingLeftOut({ grant: GRANT });
    const asked = { secrets: {}, hosts: [], methods: [] };
    expect(narrowed(asked, without, most)).toEqual({ ...asked, quotas: { runs_per_hour: 5 } });
    expect(narrowed(asked, nothingLeftOut({ grant: null }), most)).toEqual(asked);
  });
});

describe('arguments', () => {
  it('are JSON of the right kind, or it is said what is wrong', () => {
    expect(readJson(' ', 'list', '[1]')).toEqual({ ok: true, value: undefined });
    expect(readJson('[1]', 'list', '[1]')).toEqual({ ok: true, value: [1] });
    expect(readJson('[1]', 'object', '{}')).toMatchObject({ ok: false });
    expect(readJson('null', 'object', '{}')).toMatchObject({ ok: false });
    expect(readJson('{"a"', 'object', '{}')).toMatchObject({
      ok: false,
      problem: expect.stringContaining('This is no JSON: '),
    });
  });
});
