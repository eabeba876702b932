/** `openpact script test`: a script in the real box, in a world that its author made up. */
import { InvalidArgumentError, type Command } from 'commander';
import { stringifyExact } from '../../sandbox/wire/index.ts';
import { printable } from './printable.ts';
import { parseArguments, parseTime, readScriptTest, type ScriptTestFlags } from './script-test-files.ts';
import type { ScriptTestReport, ScriptTestRequest } from './script-test-ports.ts';

export interface ScriptTestDeps {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly run: (request: ScriptTestRequest) => Promise<ScriptTestReport>;
}

export function describeScriptTest(program: Command, { stdout, stderr, run }: ScriptTestDeps): void {
  const script = program.command('script').description('work on scripts');
  const test = script
    .command('test <file>')
    .description('run a script as it would be run, with made-up secrets and answers, and no network')
    .option('--function <name>', 'call this function; without it the whole script is run')
    .option(
      '--args <json>',
      'its arguments, an array or an object of names',
      checked(parseArguments, 'a JSON array or object'),
    )
    .option('--secrets <file>', 'JSON: {"NAME": "value"}')
    .option('--grant <file>', 'JSON: what the script may do; without it nothing')
    .option('--http <file>', 'JSON: {"GET https://host/path": {"status": 200, "headers": {}, "body": ""}}')
    .option(
      '--now <time>',
      'what time.now() says, such as 2026-01-31T12:00:00Z',
      checked(parseTime, 'a time of RFC 3339'),
    )
    .option('--json', 'answer in JSON');
  test.action(async (file: string, flags: ScriptTestFlags) => {
    if (flags.args !== undefined && flags.function === undefined)
      test.error("error: --args are a function's: name it with --function");
    const report = await run(readScriptTest(file, flags));
    if (flags.json === true) {
      stdout.write(`${stringifyExact(report)}\n`);
      return;
    }
    for (const { event, ...rest } of report.notices) {
      const what = event === 'fence_missing' && 'what' in rest ? rest.what : JSON.stringify(rest);
      stderr.write(`${printable(`${event}: ${what}`)}\n`);
    }
    stdout.write(`${reportLines(report).join('\n')}\n`);
  });
}

function checked<T>(parse: (text: string) => T | undefined, what: string): (text: string) => T {
  return (text) => {
    const value = parse(text);
    if (value === undefined) throw new InvalidArgumentError(`It must be ${what}.`);
    return value;
  };
}

function reportLines({ value, error, logs, requests, duration_ms }: ScriptTestReport): readonly string[] {
  const head = (text: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [text, ...lines.map((line) => `  ${printable(line)}`)];
  const sent = requests.map(
    ({ method, url, refused }) => `${method} ${url}${refused === undefined ? '' : ` (refused: ${refused})`}`,
  );
  const ended =
    error === null
      ? ['Result:', ...printable(stringifyExact(value, 2), 'keep').split('\n')]
      : [
          `Error ${error.code}${error.line === null ? '' : ` in line ${error.line}`}: ${printable(error.message)}`,
        ];
  return [...head('Printed:', logs), ...head('Requests:', sent), ...ended, `Took ${duration_ms} ms.`];
}
