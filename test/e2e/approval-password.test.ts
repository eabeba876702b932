/** An approval that asks for the password again, as the owner gives it. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalList } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage } from '../support/browser.ts';
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
  'where admin.step_up is set a call is approved with the password alone, and a wrong one approves nothing',
  async () => {
    const { program } = await startWithModel(
      {
        answers: [
          { calls: [{ name: 'workspace_write', arguments: { path: 'plan.md', content: 'a plan' } }] },
          { text: 'Written.' },
        ],
      },
      { config: 'admin:\n  step_up: true\n', passwords: 'full' },
    );
    const chat = await program.chat(await program.newConversation());
    chat.send({ type: 'message', content: 'write a plan' });
    await program.waitForApproval();
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const { page, errors } = await openPage(context);
    await page.goto(`${program.address}/approvals`);
    await page.getByTestId('login-username').fill('owner');
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('approval-approve').click();
    await page.getByTestId('password-dialog').getByText('plan.md').waitFor();
    await page.getByTestId('password-dialog-field').fill('not the password');
    await page.getByTestId('password-dialog-act').click();
    await page.getByText('The password is wrong.').waitFor();
    const statuses = async () =>
      (await program.api<ApprovalList>('GET', '/api/approvals')).body.approvals.map(({ status }) => status);
    expect(await statuses()).toEqual(['pending']);
    await page.getByTestId('password-dialog-field').fill(PASSWORD);
    await page.getByTestId('password-dialog-act').click();
    await chat.until((event) => event.type === 'done');
    expect(await statuses()).not.toContain('pending');
    // The buttons are gone: the keyboard goes on from the card on which they were.
    await expect
      .poll(() => page.evaluate("document.activeElement?.getAttribute('data-testid')"))
      .toBe('inbox-row');
    chat.close();
    await context.close();
    expect(errors.filter((line) => !/status of (401|403)/.test(line))).toEqual([]);
  },
  60_000,
);
