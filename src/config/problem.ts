import { AppError } from '../core/index.ts';

/** Something wrong in the configuration. The message never holds a value: it may be a secret. */
export interface Problem {
  /** A variable, a flag, or a file with its line. */
  readonly where: string;
  readonly message: string;
}

/** One error with every problem in it. */
export function configInvalid(problems: readonly Problem[]): AppError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new AppError({
    family: 'config',
    code: 'config_invalid',
    message: [
      `The configuration has ${count}:`,
      ...problems.map(({ where, message }) => `  ${where}: ${message}`),
    ].join('\n'),
    fix: 'Correct what is listed, then check it with "openpact config check".',
    details: { problems },
  });
}
