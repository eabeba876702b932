/** Rename, search, edit, export and the model of a conversation, in a real browser against the built page. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { CHROMIUM, inBothThemes, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';
import { useModel } from '../support/with-fake-model.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
let browser: Browser;
let program: RunningProgram;
let model: FakeModel;

beforeAll(async () => {
  if (skip) return;
  browser = await openBrowser();
  program = await startProgram();
  model = await startFakeModel({
    models: ['fake-1', { id: 'fake-2', object: 'model', context_length: 1000 }],
    otherwise: { text: 'A plain answer.', usage: { prompt_tokens: 800, completion_tokens: 50 } },
  });
  await useModel(program, model);
});
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await program.kill();
  await model.close();
  program.remove();
});

const id = (page: Page, name: string) => page.getByTestId(name);

async function say(page: Page, text: string): Promise<void> {
  const before = await id(page, 'answer').count();
  await id(page, 'composer').fill(text);
  await id(page, 'send').click();
  await expect.poll(() => id(page, 'answer').count(), { timeout: 10_000 }).toBe(before + 1);
  await id(page, 'stop').waitFor({ state: 'detached' });
}

test.skipIf(skip)(
  'a conversation is renamed, edited, given a model, exported and found again by its words',
  async () => {
    for (let i = 0; i < 6; i += 1) await program.say(`filler number ${i}`);
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      const context = await browser.newContext({
        viewport: { width, height: 800 },
        colorScheme,
        bypassCSP: false,
        acceptDownloads: true,
      });
      const { page, errors } = await openPage(context);
      const name = `${colorScheme}-${width}`;
      const small = width < 700;
      await page.goto(program.address);
      await id(page, 'login-username').fill('owner');
      await id(page, 'login-password').fill(PASSWORD);
      await id(page, 'login-submit').click();
      await id(page, 'new-conversation').click();
      await id(page, 'suggestion').first().waitFor();

      const needle = `marzipan${width}${colorScheme}`;
      await say(page, `Tell me of ${needle}`);
      await expect.poll(() => id(page, 'conversation-title').textContent()).toContain(needle);

      await id(page, 'conversation-menu').click();
      await id(page, 'conversation-rename').waitFor();
      await shot(page, `conversation-menu-${name}`);
      await id(page, 'conversation-rename').click();
      await id(page, 'conversation-title-field').fill(`Sweets ${name}`);
      await id(page, 'conversation-title-field').press('Enter');
      await expect.poll(() => id(page, 'conversation-title').textContent()).toBe(`Sweets ${name}`);

      await id(page, 'composer-model').click();
      await id(page, 'conversation-model').fill('fake-2');
      await page.getByRole('option', { name: /fake-2/ }).click();
      await id(page, 'conversation-fallback').fill('fake-1');
      await page.getByRole('option', { name: /fake-1/ }).click();
      await shot(page, `conversation-model-${name}`);
      await id(page, 'conversation-model-use').click();
      await id(page, 'model-dialog').waitFor({ state: 'detached' });
      await expect.poll(() => id(page, 'composer-model').textContent()).toContain('fake-2');

      await say(page, 'A mesage with a slip');
      expect(model.requests.at(-1)?.body.model).toBe('fake-2');
      await expect.poll(() => id(page, 'context-usage').textContent()).toBe('85% of context');
      await id(page, 'user-message').last().hover();
      await id(page, 'message-edit').click();
      await shot(page, `conversation-edit-${name}`);
      await id(page, 'message-edit-text').fill('A message without a slip');
      await id(page, 'message-edit-send').click();
      await id(page, 'replaced').waitFor();
      await id(page, 'transcript').getByText('A message without a slip').waitFor();
      await id(page, 'stop').waitFor({ state: 'detached' });
      expect(await id(page, 'transcript').getByText('A mesage with a slip').count()).toBe(0);
      await id(page, 'replaced').getByRole('button').click();
      await id(page, 'transcript').getByText('A mesage with a slip').waitFor();
      await shot(page, `conversation-replaced-${name}`);
      await page.reload();
      await id(page, 'replaced').waitFor();

      model.next({ status: 401 }, { text: 'The other one answers.' });
      await say(page, 'Who is there');
      await expect
        .poll(() => id(page, 'switched').textContent())
        .toContain('fake-2 (openai-compatible) was unavailable (llm_unauthorized); went on with fake-1');
      await id(page, 'turn-again').waitFor();
      await shot(page, `conversation-switched-${name}`);
      await id(page, 'turn-again').press('Enter');
      await id(page, 'replaced').nth(1).waitFor();
      await id(page, 'stop').waitFor({ state: 'detached' });
      expect(model.requests.at(-1)?.body).toMatchObject({ model: 'fake-2' });
      expect(JSON.stringify(model.requests.at(-1)?.body.messages)).not.toContain('The other one answers.');

      await id(page, 'conversation-menu').click();
      const coming = page.waitForEvent('download');
      await id(page, 'export-markdown').click();
      const file = await coming;
      expect(file.suggestedFilename()).toBe(`Sweets-${name}.md`);
      const text = readFileSync(await file.path(), 'utf8');
      expect(text).toContain(`# Sweets ${name}`);
      expect(text).toContain('A message without a slip');

      if (small) await page.getByRole('link', { name: 'Back to the conversations' }).click();
      await id(page, 'conversation-search').fill(`${needle.toUpperCase()} tell`);
      await id(page, 'conversation-found').first().waitFor();
      await expect.poll(() => id(page, 'conversation-item').count()).toBe(1);
      expect(new URL(page.url()).searchParams.get('q')).toContain(needle.toUpperCase());
      await shot(page, `conversation-search-${name}`);
      await page.reload();
      await id(page, 'conversation-found').first().waitFor();
      await id(page, 'conversation-search').fill('no such words anywhere');
      await page.getByText('Nothing has these words').waitFor();
      await context.close();
      expect(errors.filter((each) => !/status of 401/.test(each))).toEqual([]);
    }
  },
  180_000,
);

test.skipIf(skip)(
  'what is new in the chat has no serious findings by axe',
  async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, bypassCSP: true });
    const { page } = await openPage(context);
    const stands = (what: string): Promise<void> =>
      inBothThemes(page, async (theme) =>
        expect(await seriousFindings(page), `${what}, ${theme}`).toEqual([]),
      );
    await page.goto(program.address);
    await id(page, 'login-username').fill('owner');
    await id(page, 'login-password').fill(PASSWORD);
    await id(page, 'login-submit').click();
    await id(page, 'new-conversation').click();
    await id(page, 'suggestion').first().waitFor();
    await say(page, 'hello');
    await id(page, 'user-message').hover();
    await id(page, 'message-edit').click();
    await stands('editing');
    await id(page, 'message-edit-text').fill('hello again');
    await id(page, 'message-edit-send').click();
    await id(page, 'replaced').getByRole('button').click();
    await id(page, 'composer-model').click();
    await id(page, 'conversation-model').waitFor();
    await stands('the model');
    await id(page, 'conversation-model-keep').click();
    await id(page, 'model-dialog').waitFor({ state: 'detached' });
    await id(page, 'conversation-menu').click();
    await id(page, 'conversation-rename').waitFor();
    await stands('the menu');
    await context.close();
  },
  60_000,
);
