/** The pages of scripts as a person uses them. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import type { Script } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage } from './browser.ts';
import { PASSWORD, startProgram, type RunningProgram, type StartOptions } from './running-program.ts';
import { getScript } from './script-chat.ts';

export const SUM =
  '# @description: Adds two numbers\n\ndef add(a, b):\n    return a + b\n\nresult = add(1, 2)\n';
export const WEATHER = `# @description: The weather of a city
# @secrets: WEATHER_KEY
# @hosts: api.example.com, other.example.com

def at(url):
    return http.get(url, headers={"authorization": secrets.get("WEATHER_KEY")})

def weather(city):
    answer = http.get("https://api.example.com/" + city, headers={"authorization": secrets.get("WEATHER_KEY")})
    return {"city": city, "body": answer["body"]}
`;

/** Where there is no browser; in CI that is a failure. */
export const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';

export interface Stage {
  readonly browser: Browser;
  readonly program: RunningProgram;
}

/** A browser and a program for all tests of a file; by default it asks for the password at each approval. Filled before the first. */
export function scriptStage(options: StartOptions = { config: 'admin:\n  step_up: true\n' }): Stage {
  const stage = {} as { browser: Browser; program: RunningProgram };
  if (skip)
    console.warn(
      'SKIPPED: the tests in a browser need Chromium (apt-get install chromium, or CHROMIUM_PATH).',
    );
  beforeAll(async () => {
    if (skip) return;
    stage.browser = await openBrowser();
    stage.program = await startProgram(options);
  });
  afterAll(async () => {
    if (skip) return;
    await stage.browser.close();
    await stage.program.kill();
    stage.program.remove();
  });
  return stage;
}

/** Lines of the console that say what the test asked for: a refusal is an answer. */
export const expected = (line: string): boolean => /status of (400|401|403|404|409)/.test(line);

export const id = (page: Page, name: string) => page.getByTestId(name);

export interface Looked {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly errors: string[];
}

/** Logged in, at this path. Under the page's own policy, unless `bypassCSP` is asked for (axe needs it). */
export async function openAt(
  browser: Browser,
  program: RunningProgram,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Looked> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const { page, errors } = await openPage(context);
  await page.goto(`${program.address}${path}`);
  await id(page, 'login-username').fill('owner');
  await id(page, 'login-password').fill(PASSWORD);
  await id(page, 'login-submit').click();
  return { context, page, errors };
}

export async function putScript(program: RunningProgram, name: string, source: string): Promise<Script> {
  const known = await program.api<Script>('GET', `/api/scripts/${name}`);
  const { status, body } =
    known.status === 404
      ? await program.api<Script>('POST', '/api/scripts', { name, source })
      : await program.api<Script>('PUT', `/api/scripts/${name}`, { source });
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** As it is, with the password; `over` takes the place of parts of the grant. */
export async function approveScript(
  program: RunningProgram,
  name: string,
  over: Readonly<Record<string, unknown>> = {},
): Promise<Script> {
  const { hash, revision, proposed_grant } = await getScript(program, name);
  const { status, body } = await program.api<Script>('POST', `/api/scripts/${name}/approve`, {
    hash,
    revision,
    grant: { ...proposed_grant, ...over },
    password: PASSWORD,
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

/** One live test: a run with the grant. */
export async function runLive(program: RunningProgram, name: string): Promise<void> {
  const { hash } = await getScript(program, name);
  const { status, body } = await program.api('POST', `/api/scripts/${name}/test`, { hash });
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
}

/** Selects everything in the editor and types this over it, as a person does. */
export async function writeCode(page: Page, text: string): Promise<void> {
  await id(page, 'script-text').click();
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

export async function givePassword(page: Page): Promise<void> {
  await id(page, 'password-dialog-field').fill(PASSWORD);
  await id(page, 'password-dialog-act').click();
}

/** How far the page, or a part of it that scrolls down, scrolls sideways; 0 is what it should be. */
export async function sideways(page: Page): Promise<number> {
  return page.evaluate<number>(
    "Math.max(...[...document.querySelectorAll('html, .overflow-y-auto')].map((each) => each.scrollWidth - each.clientWidth))",
  );
}
