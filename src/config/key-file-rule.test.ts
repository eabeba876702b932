import { expect, test } from 'vitest';
import { keyFileProblem } from './key-file-rule.ts';

const US = 41_001;
const of = (mode: number, uid: number, gid = 41_000) => ({ mode: 0o100_000 | mode, uid, gid });

test.each([
  ['ours alone', of(0o600, US)],
  ['ours alone, to be read', of(0o400, US)],
  ['of root, with a list of access for us, as systemd hands it over', of(0o440, 0, 0)],
])('a key file that is %s is taken', (_, stats) => {
  expect(keyFileProblem('/etc/key', stats, US)).toBeUndefined();
});

test.each([
  ['of root and readable for all, as a swarm makes it', of(0o444, 0, 0)],
  ['readable for all', of(0o604, US)],
  ['writable for all', of(0o602, US)],
  ['readable for the group that the agent is in', of(0o640, US)],
  ['writable for a group', of(0o620, US)],
  ['of another user', of(0o600, 1_000)],
  ['of another user, and of the group of root', of(0o440, 1_000, 0)],
])('a key file that is %s is refused', (_, stats) => {
  expect(keyFileProblem('/etc/key', stats, US)).toMatch(/^\/etc\/key is a file .*; ch/);
});

test('what to do is said exactly, also for what an engine of containers mounts', () => {
  expect(keyFileProblem('/etc/key', of(0o644, US), US)).toBe(
    '/etc/key is a file others than its owner can read or change (mode 0644, owner 41001, group 41000); chmod 600 /etc/key',
  );
  expect(keyFileProblem('/etc/key', of(0o444, 0, 0), US)).toContain(
    'chown 41001 /etc/key && chmod 400 /etc/key',
  );
  expect(keyFileProblem("/my keys/it's", of(0o644, US), US)).toContain(
    String.raw`chmod 600 '/my keys/it'\''s'`,
  );
  expect(keyFileProblem('/run/secrets/key', of(0o444, 0, 0), US)).toContain(
    'in a swarm give the secret uid: "41001" and mode: 0400',
  );
});

test('root asks for the mode alone, because it becomes another user; without users nothing is asked', () => {
  expect(keyFileProblem('/etc/key', of(0o600, US), 0)).toBeUndefined();
  expect(keyFileProblem('/etc/key', of(0o644, US), 0)).toContain('chmod 600');
  expect(keyFileProblem('/etc/key', of(0o666, 0), undefined)).toBeUndefined();
});
