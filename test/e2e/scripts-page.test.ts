/** What an owner does with scripts, in a real browser against the running program. */
import { expect, test } from 'vitest';
import { inBothThemes, seriousFindings, shot } from '../support/browser.ts';
import { getScript } from '../support/script-chat.ts';
import {
  approveScript,
  expected,
  givePassword,
  id,
  openAt,
  putScript,
  scriptStage,
  sideways,
  skip,
  SUM,
  WEATHER,
  writeCode,
} from '../support/script-page.ts';

const stage = scriptStage();

test.skipIf(skip)(
  'the owner reads a power, gives less of it, approves with the password, runs, and decides on what changed',
  async () => {
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts');
    await id(page, 'scripts-empty').waitFor();
    await shot(page, 'scripts-empty');

    await putScript(stage.program, 'weather', WEATHER);
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
    await page.getByText('Write a JSON list, such as').waitFor();
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
    expect((await getScript(stage.program, 'weather')).status).toBe('pending');
    await givePassword(page);
    await id(page, 'script-said').getByText('Approved').waitFor();
    expect((await getScript(stage.program, 'weather')).grant).toMatchObject({
      expires_at: expect.stringMatching(/^20/),
      hosts: ['api.example.com'],
      secrets: { WEATHER_KEY: ['api.example.com'] },
    });
    await page.locator('[data-testid=script-state][data-state=approved]').waitFor();

    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'an approved script runs and its run is seen; a change shows as a difference, a newer one is never approved unseen, a rejection keeps its reason',
  async () => {
    await putScript(stage.program, 'sum', SUM);
    await approveScript(stage.program, 'sum');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts');
    await page.locator('[data-script=sum]').click();
    await id(page, 'script-refused').getByText('It may run now.').waitFor();
    await id(page, 'script-test-function').selectOption('add');
    await id(page, 'script-test-args').fill('[40, 2]');
    await id(page, 'script-test').click();
    await id(page, 'script-test-result').getByText('42').waitFor();
    expect(await id(page, 'script-test-result').getAttribute('data-live')).toBe('true');
    const run = id(page, 'script-run').first();
    await run.getByText('Live test by owner').waitFor();
    await run.getByRole('button').click();
    await run.getByText('by its own count').waitFor();
    expect(await run.getAttribute('data-outcome')).toBe('ok');

    // The owner's own change waits like any other, and its difference is shown.
    await id(page, 'script-edit').click();
    await writeCode(page, SUM.replace('a + b', 'a - b'));
    await id(page, 'script-draft-diff').waitFor();
    await id(page, 'script-save').click();
    await page.locator('[data-testid=script-state][data-state=modified]').waitFor();
    await id(page, 'script-diff').getByText('return a - b').waitFor();
    await id(page, 'script-diff').getByText('return a + b').waitFor();
    await id(page, 'script-refused').getByText('was changed since it was approved').waitFor();
    await shot(page, 'script-modified');

    // What comes while somebody reads takes nobody's place under their hand, and is not approved with it.
    await putScript(stage.program, 'sum', SUM.replace('a + b', 'a * b'));
    await id(page, 'script-newer').waitFor();
    await id(page, 'script-code').getByText('return a - b').waitFor();
    await id(page, 'script-approve').click();
    await givePassword(page);
    await id(page, 'script-problem').getByText('A newer version came').waitFor();
    await id(page, 'script-code').getByText('return a * b').waitFor();
    expect((await getScript(stage.program, 'sum')).status).toBe('pending');

    await id(page, 'script-reject').click();
    await id(page, 'script-reject-reason').fill('It was to add.');
    await id(page, 'script-reject-send').click();
    await id(page, 'script-rejected').getByText('It was to add.').waitFor();
    expect(await getScript(stage.program, 'sum')).toMatchObject({
      status: 'rejected',
      reject_reason: 'It was to add.',
    });

    // The approved text comes back out of the history and stands approved as it was.
    const old = id(page, 'script-version').last();
    await old.getByRole('button').first().click();
    await id(page, 'script-restore').click();
    await id(page, 'script-restore-dialog-act').click();
    await id(page, 'script-code').getByText('return a + b').waitFor();
    expect((await getScript(stage.program, 'sum')).source).toBe(SUM);

    await id(page, 'script-disable').click();
    await id(page, 'script-disable-dialog-act').click();
    await page.locator('[data-testid=script-state][data-state=disabled]').waitFor();
    await id(page, 'script-enable').click();
    await givePassword(page);
    await id(page, 'script-said').getByText('Enabled').waitFor();
    expect((await getScript(stage.program, 'sum')).status).not.toBe('disabled');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'both pages have no serious finding on a phone and on a desk, light and dark, and don’t scroll sideways',
  async () => {
    await putScript(stage.program, 'look', WEATHER);
    await putScript(stage.program, 'other', SUM);
    for (const width of [390, 1280]) {
      const { context, page } = await openAt(stage.browser, stage.program, '/scripts', {
        viewport: { width, height: 844 },
        bypassCSP: true,
      });
      await page.locator('[data-script=look]').waitFor();
      await inBothThemes(page, async (theme) => {
        await shot(page, `scripts-${width}-${theme}`);
        expect(await seriousFindings(page), `list ${width} ${theme}`).toEqual([]);
        expect(await sideways(page), `sideways, list ${width} ${theme}`).toBe(0);
      });
      await page.locator('[data-script=look]').click();
      await id(page, 'script-decision').waitFor();
      await id(page, 'script-version').first().waitFor();
      await inBothThemes(page, async (theme) => {
        const where = `${width}-${theme}`;
        await page.evaluate("document.querySelector('h1').scrollIntoView()");
        await shot(page, `script-${where}`);
        await id(page, 'script-decision').scrollIntoViewIfNeeded();
        await shot(page, `script-decision-${where}`);
        await id(page, 'script-version').first().scrollIntoViewIfNeeded();
        await shot(page, `script-end-${where}`);
        expect(await seriousFindings(page), `script ${where}`).toEqual([]);
        expect(await sideways(page), `sideways ${where}`).toBe(0);
      });
      await context.close();
    }
  },
  120_000,
);

test.skipIf(skip)(
  'an approval that ran out can be given again',
  async () => {
    await putScript(stage.program, 'brief', SUM);
    await approveScript(stage.program, 'brief', { expires_at: new Date(Date.now() + 8_000).toISOString() });
    await expect
      .poll(async () => (await getScript(stage.program, 'brief')).refused, { timeout: 30_000, interval: 200 })
      .not.toBeNull();
    const { context, page } = await openAt(stage.browser, stage.program, '/scripts');
    await page.locator('[data-script=brief]').click();
    await id(page, 'script-refused').getByText('has run out').waitFor();
    await id(page, 'script-approve').click();
    await givePassword(page);
    await id(page, 'script-refused').getByText('It may run now.').waitFor();
    expect((await getScript(stage.program, 'brief')).refused).toBeNull();
    await context.close();
  },
  60_000,
);
