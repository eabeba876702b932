import { describe, expect, it } from 'vitest';
import type { Approval } from '../../src/edge/admin/api.ts';
import { judgePassword } from '../../src/guard/identity/password-rule.ts';
import { keepEnded, rowsOf, type Pages } from '../../web/src/approvals/inbox-pages.ts';
import { passwordState } from '../../web/src/setup/password-rule.ts';
import { hiddenCount, segments } from '../../web/src/ui/hidden-characters.ts';

describe("the page's password hint", () => {
  it.each([
    'short',
    'elevenchars',
    'zqmvkxwplrty',
    'Zqmvkxwplrt7',
    'zqmvkxwplr-7',
    'zqmvkxwplrtyb7',
    'fifteen-zqmvkxw',
    'zqmvkxwplrtybhgd',
    'zqmv kxwp lrty bhgd',
    'Äöqmvkxwplr7',
    '🙂qmvkxwplrtY',
  ])('never calls %j too weak or strong enough when the server says otherwise', (password) => {
    const verdict = judgePassword(password, 'admin');
    const weak = !verdict.ok && verdict.code === 'password_too_weak';
    expect(passwordState(password).ok).toBe(!weak);
  });
});

describe('the exact text of a request', () => {
  it.each([
    ['a right-to-left override', 'pl\u202Ean.md', 'U+202E'],
    ['a zero-width space', 'Tom\u200B', 'U+200B'],
    ['a tag character', 'a\u{E0041}b', 'U+E0041'],
    ['a variation selector', 'a\uFE0F', 'U+FE0F'],
    ['a no-break space', 'a\u00A0b', 'U+00A0'],
    ['a carriage return', 'good\rbad', 'U+000D'],
    ['an escape', '\u001B[2K', 'U+001B'],
    ['a Hangul filler', 'a\u3164b', 'U+3164'],
    ['half a character', 'a\uD800', 'U+D800'],
    ['a blank Braille pattern', 'a\u2800', 'U+2800'],
  ])('marks %s', (_, text, mark) => {
    expect(segments(text)).toContainEqual({ hidden: mark });
  });

  it('leaves what a reader sees, and shows blanks at line ends', () => {
    expect(segments('päth/日本.md\n\tx')).toEqual([{ text: 'päth/日本.md\n\tx' }]);
    expect(segments('a  \nb')).toEqual([{ text: 'a' }, { blanks: 2 }, { text: '\nb' }]);
    expect(hiddenCount('a  \nb')).toBe(0);
  });
});

describe('pages of the inbox', () => {
  const item = (id: string, status: Approval['status']) => ({ id, kind: 'tool', status }) as Approval;
  const pages = (...all: readonly (readonly Approval[])[]): Pages => ({
    pages: all.map((approvals) => ({
      approvals,
      pending: 0,
      waiting: { tools: 0, scripts: 0 },
      next: null,
      last: null,
    })),
    pageParams: all.map(() => null),
  });

  it('that come late don’t make a request wait again that was decided meanwhile', () => {
    const old = pages([item('a', 'approved'), item('b', 'pending')]);
    const late = pages([item('a', 'pending'), item('b', 'denied')], [item('c', 'pending')]);
    expect(rowsOf(keepEnded(old, late)).map(({ id, status }) => [id, status])).toEqual([
      ['a', 'approved'],
      ['b', 'denied'],
      ['c', 'pending'],
    ]);
  });
});
