/**
 * Loaded before the program (`--import`): once a file appears, whose content is a number, the process kills itself with -9
 * before that many further statements that write were carried out. So a test meets every step of one act.
 */
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync, StatementSync } from 'node:sqlite';

const file = process.env['DIES_AT_STATEMENT'] ?? '';
let left: number | undefined;

function step(): void {
  if (left === undefined) {
    if (!existsSync(file)) return;
    left = Number(readFileSync(file, 'utf8'));
  }
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
  left -= 1;
}

const run = StatementSync.prototype.run as (...values: unknown[]) => unknown;
StatementSync.prototype.run = function (this: StatementSync, ...values: unknown[]) {
  step();
  return run.apply(this, values);
} as typeof StatementSync.prototype.run;
const { exec } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql: string) {
  step();
  exec.call(this, sql);
};
