import { expect, test } from 'vitest';
import { startBanner, wantsColor, type BannerFacts } from './banner.ts';

const FACTS: BannerFacts = {
  version: '1.2.3',
  address: 'http://127.0.0.1:8888',
  workspace: '/srv/ws',
  setup: { code: 'abcd-efgh', file: '/srv/ws/secure/data/setup_code' },
  isolation: {
    level: 1,
    summary: 'Users only.',
    missing: [{ what: 'Landlock is not in this kernel', fix: 'Use Linux 6.12 or newer.' }],
  },
  notes: ['There is no config.yaml: the defaults are used.', 'Another note.'],
};

test('the banner says where the page is, the setup code, the workspace and the isolation', () => {
  expect(startBanner(FACTS, false)).toBe(
    [
      'OpenPact 1.2.3',
      '',
      '  Page         http://127.0.0.1:8888',
      '  Setup code   abcd-efgh',
      '               The page asks for it once, to make your account. It is also in',
      '               /srv/ws/secure/data/setup_code',
      '  Workspace    /srv/ws',
      '  Isolation    Level 1 of 3. Users only.',
      '               Missing: Landlock is not in this kernel. Use Linux 6.12 or newer.',
      '  Note         There is no config.yaml: the defaults are used.',
      '               Another note.',
      '',
    ].join('\n'),
  );
});

test('after the setup there is no code, and nothing is said where nothing is missing', () => {
  const text = startBanner(
    { ...FACTS, setup: null, notes: [], isolation: { level: 3, summary: 'All.', missing: [] } },
    false,
  );
  expect(text).not.toContain('Setup');
  expect(text).not.toContain('Missing');
  expect(text).not.toContain('Note');
});

test('long sentences are broken at blanks, words and paths never', () => {
  const path = `/${'deep/'.repeat(40)}`;
  const text = startBanner({ ...FACTS, notes: [`${'word '.repeat(60)}${path}`] }, false);
  expect(text).toContain(path);
  const long = text.split('\n').filter((line) => line.length > 96);
  expect(long).toHaveLength(1);
});

test('color is for terminals that were not told otherwise', () => {
  const terminal = { isTTY: true };
  expect(wantsColor(terminal, {})).toBe(true);
  expect(wantsColor(terminal, { NO_COLOR: '' })).toBe(true);
  expect(wantsColor(terminal, { NO_COLOR: '1' })).toBe(false);
  expect(wantsColor(terminal, { TERM: 'dumb' })).toBe(false);
  expect(wantsColor({}, {})).toBe(false);
  expect(startBanner(FACTS, true)).toContain('\u001b[1mabcd-efgh\u001b[22m');
});
