/** Usage and budgets as a person meets them, in a real browser against the running program. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BudgetsView } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD } from '../support/running-program.ts';
import { startWithModel } from '../support/with-fake-model.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
let browser: Browser;
beforeAll(async () => {
  if (!skip) browser = await openBrowser();
});
afterAll(async () => {
  if (!skip) await browser.close();
});

test.skipIf(skip)(
  'a refused call leads to the budgets; they are raised with the password; then the call goes through and is on the page',
  async () => {
    const { program } = await startWithModel({ otherwise: { text: 'There you are.' } });
    const { limits } = (await program.api<BudgetsView>('GET', '/api/budgets')).body;
    await program.api('PUT', '/api/budgets', { ...limits, turn: { tokens: 900, usd: 1 } });
    const { id } = await program.say('go');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await openPage(context);
    await page.goto(`${program.address}/chat/${id}`);
    await page.getByTestId('login-username').fill('owner');
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('turn-error').getByText('The budget of this turn').waitFor();
    await page.getByTestId('open-budgets').click();
    await page.getByTestId('budget-edit').click();
    await page.getByTestId('budget-turn-tokens').fill('800,000');
    await page.getByTestId('budget-save').click();
    await page.getByTestId('password-dialog').getByText('One turn: 900 to 800,000 tokens').waitFor();
    await page.getByTestId('password-dialog-field').fill(PASSWORD);
    await page.getByTestId('password-dialog-act').click();
    await page.getByTestId('budget-limits').getByText('800,000').waitFor();
    await page.goto(`${program.address}/chat/${id}`);
    await page.getByTestId('turn-retry').click();
    await page.getByTestId('answer').getByText('There you are.').waitFor();
    await page.getByTestId('usage').waitFor();
    await page.goto(`${program.address}/usage?by=model`);
    const row = page.getByTestId('usage-row');
    await row.waitFor();
    expect(await row.innerText()).toMatch(/openai-compatible\/fake-1\s+1\s+11\s+7\s+not known/);
    expect(await page.getByTestId('budget-today').innerText()).toContain('18 of 50,000,000 used or reserved');
    expect(await seriousFindings(page)).toEqual([]);
    await shot(page, 'usage');
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await seriousFindings(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
    expect(errors.filter((text) => !/status of 401/.test(text))).toEqual([]);
    await context.close();
  },
  60_000,
);
