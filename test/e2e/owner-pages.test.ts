/** What an owner does to the policy and to the assistant's identity, in a real browser against the running program. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
if (skip)
  console.warn('SKIPPED: the tests in a browser need Chromium (apt-get install chromium, or CHROMIUM_PATH).');

let browser: Browser;
let program: RunningProgram;
beforeAll(async () => {
  if (skip) return;
  browser = await openBrowser();
  program = await startProgram();
});
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await program.kill();
  program.remove();
});

const id = (page: Page, name: string) => page.getByTestId(name);

test.skipIf(skip)(
  'the owner changes the policy with the password, reads what it can do, and edits and restores who it is',
  async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
    const { page, errors } = await openPage(context);
    await page.goto(program.address);
    await id(page, 'login-username').fill('owner');
    await id(page, 'login-password').fill(PASSWORD);
    await id(page, 'login-submit').click();

    await id(page, 'rail-what-it-can-do').click();
    const writing = page.locator('[data-testid=capability]', { hasText: 'write other files in ai-data/' });
    await writing.waitFor();
    expect(await writing.getAttribute('data-answer')).toBe('asks');
    await writing.getByRole('button').click();
    await page.getByText('a write that nobody approved does not happen').first().waitFor();
    await shot(page, 'capabilities-open');

    await id(page, 'rail-settings').click();
    await id(page, 'settings-policy').click();
    expect(await id(page, 'policy-workspace_write-identity').isDisabled()).toBe(true);
    await id(page, 'policy-workspace_write-workspace').selectOption('deny');
    await shot(page, 'policy-changed');
    await id(page, 'policy-save').click();
    await id(page, 'password-dialog-field').fill('not the password');
    await id(page, 'password-dialog-act').click();
    await page.getByText('The password is wrong.').waitFor();
    await id(page, 'password-dialog-field').fill(PASSWORD);
    await shot(page, 'policy-password');
    expect(await seriousFindings(page)).toEqual([]);
    await id(page, 'password-dialog-act').click();
    await id(page, 'policy-shipped').waitFor();
    await id(page, 'rail-what-it-can-do').click();
    await page
      .locator('[data-answer=never]', { hasText: 'It can never write other files in ai-data/' })
      .waitFor();

    await page.goto(`${program.address}/settings/identity`);
    const text = id(page, 'identity-text');
    await text.fill('# Who you are\n\nCalm.\n');
    await id(page, 'identity-save').click();
    await page.getByText('It counts from the next message').waitFor();
    expect(readFileSync(join(program.workspace, 'ai-data', 'SOUL.md'), 'utf8')).toContain('Calm.');

    // Somebody else's change is seen before anything is written over it.
    await text.fill('# Who you are\n\nCalm and short.\n');
    writeFileSync(join(program.workspace, 'ai-data', 'SOUL.md'), '# Who you are\n\nLoud.\u202e\n');
    await id(page, 'identity-conflict').waitFor();
    await id(page, 'identity-diff').getByText('U+202E').waitFor();
    expect(await id(page, 'identity-save').isDisabled()).toBe(true);
    await shot(page, 'identity-conflict');
    expect(await seriousFindings(page)).toEqual([]);
    await id(page, 'identity-conflict-take').click();
    await id(page, 'identity-save').click();
    await page.getByText('It counts from the next message').waitFor();

    const first = id(page, 'identity-version').last();
    await first.getByRole('button').first().click();
    await id(page, 'identity-restore').click();
    await id(page, 'restore-dialog-act').click();
    await page.getByText('Restored. It counts from the next message').waitFor();
    expect(await text.inputValue()).toContain('Pact');
    await shot(page, 'identity-restored');
    await context.close();
    expect(errors.filter((line) => !/status of (401|403|409)/.test(line))).toEqual([]);
  },
  60_000,
);
