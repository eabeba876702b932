/** What an owner does with scripts, in a real browser against the running program. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Script } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';
import { getScript } from '../support/script-chat.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
if (skip)
  console.warn('SKIPPED: the tests in a browser need Chromium (apt-get install chromium, or CHROMIUM_PATH).');

const SUM = '# @description: Adds two numbers\n\ndef add(a, b):\n    return a + b\n\nresult = add(1, 2)\n';
const WEATHER = `# @description: The weather of a city
# @secrets: WEATHER_KEY
# @hosts: api.example.com, other.example.com

def at(url):
    return http.get(url, headers={"authorization": secrets.get("WEATHER_KEY")})

def weather(city):
    answer = http.get("https://api.example.com/" + city, headers={"authorization": secrets.get("WEATHER_KEY")})
    return {"city": city, "body": answer["body"]}
`;

let browser: Browser;
let program: RunningProgram;
beforeAll(async () => {
  if (skip) return;
  browser = await openBrowser();
  program = await startProgram({ config: 'admin:\n  step_up: true\n' });
});
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await program.kill();
  program.remove();
});

const id = (page: Page, name: string) => page.getByTestId(name);

async function logIn(context: BrowserContext) {
  const { page, errors } = await openPage(context);
  await page.goto(`${program.address}/scripts`);
  await id(page, 'login-username').fill('owner');
  await id(page, 'login-password').fill(PASSWORD);
  await id(page, 'login-submit').click();
  return { page, errors };
}

async function putScript(name: string, source: string): Promise<Script> {
  const known = await program.api<Script>('GET', `/api/scripts/${name}`);
  const { status, body } =
    known.status === 404
      ? await program.api<Script>('POST', '/api/scripts', { name, source })
      : await program.api<Script>('PUT', `/api/scripts/${name}`, { source });
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

test.skipIf(skip)(
  'the owner reads a power, gives less of it, approves with the password, runs, and decides on what changed',
  async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: true });
    const { page, errors } = await logIn(context);
    await id(page, 'scripts-empty').waitFor();
    await shot(page, 'scripts-empty');

    await putScript('weather', WEATHER);
    const row = page.locator('[data-testid=script-row][data-script=weather]');
    await row.getByText('Waits for you').waitFor();
    await row.getByText('WEATHER_KEY').waitFor();
    await id(page, 'scripts-badge').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');

    // The power in words, with what the text alone does not tell.
    await id(page, 'script-power').getByText('may send the secret WEATHER_KEY to').waitFor();
    await id(page, 'script-warnings').getByText('puts an address together while it runs').first().waitFor();
    await id(page, 'script-test-kind').getByText('reaches no host').waitFor();

    // Without approval: made-up answers, made-up secrets.
    await id(page, 'script-test-function').selectOption('weather');
    await id(page, 'script-test-args').fill('"Paris"');
    await id(page, 'script-test').click();
    await page.getByText('Write a JSON list').waitFor();
    await id(page, 'script-test-args').fill('["Paris"]');
    await id(page, 'script-test-http').fill('{"GET https://api.example.com/Paris": {"body": "sunny"}}');
    await id(page, 'script-test').click();
    const tested = id(page, 'script-test-result');
    await tested.getByText('sunny').waitFor();
    expect(await tested.getAttribute('data-live')).toBe('false');
    await shot(page, 'script-tested');

    // Less than it asks for, and the password.
    await id(page, 'script-narrow').getByRole('checkbox', { name: 'other.example.com' }).uncheck();
    await id(page, 'script-expiry').selectOption({ label: 'For 7 days' });
    const gives = await id(page, 'script-grant').textContent();
    expect(gives).toContain('WEATHER_KEY may be sent to api.example.com.');
    expect(gives).not.toContain('other.example.com');
    await shot(page, 'script-decision');
    await id(page, 'script-approve').click();
    await id(page, 'password-dialog-field').fill('not the password');
    await id(page, 'password-dialog-act').click();
    await page.getByText('The password is wrong.').waitFor();
    expect((await getScript(program, 'weather')).status).toBe('pending');
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await id(page, 'script-said').getByText('Approved').waitFor();
    expect((await getScript(program, 'weather')).grant).toMatchObject({
      expires_at: expect.stringMatching(/^20/),
      hosts: ['api.example.com'],
      secrets: { WEATHER_KEY: ['api.example.com'] },
    });
    await page.locator('[data-testid=script-state][data-state=approved]').waitFor();

    await context.close();
    expect(errors.filter((line) => !/status of (401|403|404|409)/.test(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'an approved script runs and its run is seen; a change shows as a difference, a newer one is never approved unseen, a rejection keeps its reason',
  async () => {
    await putScript('sum', SUM);
    await approve('sum');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: true });
    const { page, errors } = await logIn(context);
    await page.locator('[data-script=sum]').click();
    await id(page, 'script-refused').getByText('It may run now.').waitFor();
    await id(page, 'script-test-function').selectOption('add');
    await id(page, 'script-test-args').fill('[40, 2]');
    await id(page, 'script-test').click();
    await id(page, 'script-test-result').getByText('42').waitFor();
    expect(await id(page, 'script-test-result').getAttribute('data-live')).toBe('true');
    const run = id(page, 'script-run').first();
    await run.getByText('Test by owner').waitFor();
    await run.getByRole('button').click();
    await run.getByText('Called add.').waitFor();
    expect(await run.getAttribute('data-outcome')).toBe('ok');

    // The owner's own change waits like any other, and its difference is shown.
    await id(page, 'script-edit').click();
    await id(page, 'script-text').fill(SUM.replace('a + b', 'a - b'));
    await id(page, 'script-draft-diff').waitFor();
    await id(page, 'script-save').click();
    await page.locator('[data-testid=script-state][data-state=modified]').waitFor();
    await id(page, 'script-diff').getByText('return a - b').waitFor();
    await id(page, 'script-diff').getByText('return a + b').waitFor();
    await id(page, 'script-refused').getByText('was changed since it was approved').waitFor();
    await shot(page, 'script-modified');

    // What comes while somebody reads takes nobody's place under their hand, and is not approved with it.
    await putScript('sum', SUM.replace('a + b', 'a * b'));
    await id(page, 'script-newer').waitFor();
    await id(page, 'script-code').getByText('return a - b').waitFor();
    await id(page, 'script-approve').click();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await id(page, 'script-problem').getByText('A newer version came').waitFor();
    await id(page, 'script-code').getByText('return a * b').waitFor();
    expect((await getScript(program, 'sum')).status).toBe('pending');

    await id(page, 'script-reject').click();
    await id(page, 'script-reject-reason').fill('It was to add.');
    await id(page, 'script-reject-send').click();
    await id(page, 'script-rejected').getByText('It was to add.').waitFor();
    expect(await getScript(program, 'sum')).toMatchObject({
      status: 'rejected',
      reject_reason: 'It was to add.',
    });

    // The approved text comes back out of the history and stands approved as it was.
    const old = id(page, 'script-version').last();
    await old.getByRole('button').first().click();
    await id(page, 'script-restore').click();
    await id(page, 'script-restore-dialog-act').click();
    await id(page, 'script-code').getByText('return a + b').waitFor();
    expect((await getScript(program, 'sum')).source).toBe(SUM);

    await id(page, 'script-disable').click();
    await id(page, 'script-disable-dialog-act').click();
    await page.locator('[data-testid=script-state][data-state=disabled]').waitFor();
    await id(page, 'script-enable').click();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await id(page, 'script-said').getByText('Enabled').waitFor();
    expect((await getScript(program, 'sum')).status).not.toBe('disabled');
    await context.close();
    expect(errors.filter((line) => !/status of (401|403|404|409)/.test(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'both pages have no serious finding on a phone and on a desk, light and dark, and don’t scroll sideways',
  async () => {
    await putScript('look', WEATHER);
    await putScript('other', SUM);
    for (const width of [390, 1280]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const context = await browser.newContext({
          viewport: { width, height: 844 },
          colorScheme,
          bypassCSP: true,
        });
        const { page } = await logIn(context);
        await page.locator('[data-script=look]').waitFor();
        const where = `${width}-${colorScheme}`;
        await shot(page, `scripts-${where}`);
        expect(await seriousFindings(page), `list ${where}`).toEqual([]);
        await page.locator('[data-script=look]').click();
        await id(page, 'script-decision').waitFor();
        await id(page, 'script-version').first().waitFor();
        await shot(page, `script-${where}`);
        await id(page, 'script-decision').scrollIntoViewIfNeeded();
        await shot(page, `script-decision-${where}`);
        await id(page, 'script-version').first().scrollIntoViewIfNeeded();
        await shot(page, `script-end-${where}`);
        expect(await seriousFindings(page), `script ${where}`).toEqual([]);
        const wide = await page.evaluate<number>(
          "Math.max(...[...document.querySelectorAll('html, .overflow-y-auto')].map((each) => each.scrollWidth - each.clientWidth))",
        );
        expect(wide, `sideways ${where}`).toBe(0);
        await context.close();
      }
    }
  },
  120_000,
);

test.skipIf(skip)(
  'the page works under its own content security policy',
  async () => {
    await putScript('plain', SUM);
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await logIn(context);
    await page.locator('[data-script=plain]').click();
    await id(page, 'script-decision').waitFor();
    await id(page, 'script-edit').click();
    await id(page, 'script-text').fill('result = 1\n');
    await id(page, 'script-save').click();
    await id(page, 'script-said').waitFor();
    await context.close();
    expect(errors.filter((line) => !/status of 401/.test(line))).toEqual([]);
  },
  60_000,
);

test.skipIf(skip)(
  'an approval that ran out can be given again',
  async () => {
    await putScript('brief', SUM);
    // Long enough that the approval itself does not come too late.
    await approve('brief', new Date(Date.now() + 3_000).toISOString());
    await expect
      .poll(async () => (await getScript(program, 'brief')).refused, { timeout: 30_000, interval: 200 })
      .not.toBeNull();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, bypassCSP: true });
    const { page } = await logIn(context);
    await page.locator('[data-script=brief]').click();
    await id(page, 'script-refused').getByText('has run out').waitFor();
    await id(page, 'script-approve').click();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await id(page, 'password-dialog-act').click();
    await id(page, 'script-refused').getByText('It may run now.').waitFor();
    expect((await getScript(program, 'brief')).refused).toBeNull();
    await context.close();
  },
  60_000,
);

/** With the password, which this program asks for. */
async function approve(name: string, expires?: string): Promise<void> {
  const { hash, revision, proposed_grant } = await getScript(program, name);
  const { status, body } = await program.api('POST', `/api/scripts/${name}/approve`, {
    hash,
    revision,
    ...(expires === undefined ? {} : { grant: { ...proposed_grant, expires_at: expires } }),
    password: PASSWORD,
  });
  if (status !== 200) throw new Error(JSON.stringify(body));
}
