/**
 * Loaded before a program (`--import`): hashes of login passwords, which take a third of a second of work each, take none.
 * What is stored looks as always, but only a program with this accepts it. A passphrase keeps its full cost.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

const { argon2 } = crypto;
crypto.argon2 = (name, parameters, done) => {
  const { memory, passes } = parameters;
  const login = memory === 65_536 && passes === 3;
  return argon2(name, login ? { ...parameters, memory: 64, passes: 1 } : parameters, done);
};
syncBuiltinESMExports();
