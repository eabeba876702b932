/** Secrets and the sealed vault as a person meets them, in a real browser against the running program. */
import { spawnSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { SecretList } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PRODUCT } from '../support/product.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
const VALUE = 'ghp_8fJ2kQxW5tZp9LmNv3RsYb7Hd';
const PASSPHRASE = 'violet otter kettle sandwich 47';
let browser: Browser;
const programs: RunningProgram[] = [];
beforeAll(async () => {
  if (!skip) browser = await openBrowser();
});
afterAll(async () => {
  if (!skip) await browser.close();
});
afterEach(async () => {
  for (const program of programs.splice(0)) {
    await program.kill();
    program.remove();
  }
});

async function started(options: Parameters<typeof startProgram>[0] = {}): Promise<RunningProgram> {
  const program = await startProgram(options);
  programs.push(program);
  return program;
}

test.skipIf(skip)(
  'a secret is set, bound, found too weak, rotated and deleted with the keyboard and the mouse, and its value is nowhere on the page',
  async () => {
    const program = await started();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await openPage(context);
    await page.goto(`${program.address}/secrets`);
    await page.getByTestId('login-username').fill('owner');
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByText('No secrets yet').waitFor();
    await shot(page, 'secrets-empty');
    await page.getByTestId('secret-new').click();
    await page.getByTestId('secret-name').fill('github_token');
    await page.getByTestId('secret-value').fill(VALUE);
    await page.getByTestId('secret-hosts').fill('api.github.com');
    await page.getByTestId('secret-note').fill('Read only, of the robot account');
    await page.getByTestId('secret-rotate-by').fill('2020-01-31');
    expect(await seriousFindings(page)).toEqual([]);
    await shot(page, 'secrets-set');
    await page.getByTestId('secret-save').click();
    const row = page.getByTestId('secret-row');
    await row.getByText('GITHUB_TOKEN').waitFor();
    await page.getByTestId('secrets-due').getByText('GITHUB_TOKEN is due').waitFor();

    // A weak one is stored only on a second word.
    await page.getByTestId('secret-new').click();
    await page.getByTestId('secret-name').fill('PIN');
    await page.getByTestId('secret-value').fill('4711');
    await page.getByTestId('secret-save').click();
    await page.getByTestId('secret-weak').waitFor();
    await shot(page, 'secrets-weak');
    await page.getByTestId('secret-confirm-weak').click();
    await page.locator('[data-testid="secret-row"][data-name="PIN"]').waitFor();

    // The list has it before the dialog is gone, and keys are not the list's until then.
    await page.getByTestId('secret-dialog').waitFor({ state: 'detached' });

    // More hosts need the password; keys reach the row.
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByTestId('secret-edit').click();
    await page.getByTestId('secret-hosts').fill('api.github.com\nuploads.github.com');
    await page.getByTestId('secret-save').click();
    await page.getByTestId('password-dialog').getByText('uploads.github.com').waitFor();
    await page.getByTestId('password-dialog-field').fill(PASSWORD);
    await page.getByTestId('password-dialog-act').click();
    await page.locator('dd', { hasText: 'api.github.com, uploads.github.com' }).waitFor();
    await page.getByTestId('secret-rotate').click();
    await page.getByTestId('secret-value').fill(`${VALUE}2`);
    await page.getByTestId('secret-save').click();
    await page.getByTestId('secret-dialog').waitFor({ state: 'detached' });

    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      for (const width of [1280, 390]) {
        await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
        await page.goto(`${program.address}/secrets?name=GITHUB_TOKEN`);
        await page.getByTestId('secret-rotate').waitFor();
        expect(await seriousFindings(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
        await shot(page, `secrets-${scheme}-${width}`);
      }
    }
    expect(await page.content()).not.toContain(VALUE);
    await page.getByTestId('secret-delete').click();
    await page.getByTestId('secret-delete-dialog-act').click();
    await page.locator('[data-testid="secret-row"][data-name="GITHUB_TOKEN"]').waitFor({ state: 'detached' });
    const left = (await program.api<SecretList>('GET', '/api/secrets')).body.secrets;
    expect(left.map(({ name }) => name)).toEqual(['PIN']);
    expect(errors.filter((text) => !/status of (401|400|403)/.test(text))).toEqual([]);
    await context.close();
  },
  90_000,
);

test.skipIf(skip)(
  'a sealed vault shows only the way to unlock it, and after the passphrase the page that was asked for',
  async () => {
    const first = await startProgram();
    await first.stop();
    const argv = [PRODUCT, 'secrets', 'rekey', '--to', 'passphrase', '--workspace', first.workspace];
    expect(spawnSync(process.execPath, argv, { input: `${PASSPHRASE}\n` }).status).toBe(0);
    const program = await started({ workspace: first.workspace, withoutSetup: true, passwords: 'quick' });
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const { page } = await openPage(context);
    await page.goto(`${program.address}/secrets`);
    await page.getByTestId('login-username').fill('owner');
    await page.getByTestId('login-password').fill(PASSWORD);
    await page.getByTestId('login-submit').click();
    await page.getByTestId('unlock-page').waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await shot(page, 'unlock-dark-390');
    await page.getByTestId('unlock-passphrase').fill('another one, a wrong one');
    await page.getByTestId('unlock-submit').click();
    await page.getByTestId('unlock-error').getByText('The passphrase is wrong.').waitFor();
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1280, height: 900 });
    expect(await seriousFindings(page)).toEqual([]);
    await shot(page, 'unlock-light-1280');
    await page.getByTestId('unlock-passphrase').fill(PASSPHRASE);
    await page.keyboard.press('Enter');
    await page.getByText('No secrets yet').waitFor();
    // And locked again from there.
    await shot(page, 'secrets-lockable');
    await page.getByTestId('vault-lock').click();
    await page.getByTestId('vault-lock-dialog-act').click();
    await page.getByTestId('unlock-page').waitFor();
    expect(await (await fetch(`${program.address}/ready`)).json()).toMatchObject({ sealed: true });
    await context.close();
  },
  120_000,
);
