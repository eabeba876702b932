/** Azure OpenAI as a person sets it up: an endpoint, a key, and the name of a deployment, which no list can offer. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ModelsAnswer } from '../../src/edge/admin/api.ts';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { startResponsesServer } from '../fakes/responses-server.ts';
import { PASSWORD } from '../support/running-program.ts';
import { MODEL_KEY, start } from '../support/with-fake-model.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
let browser: Browser;
beforeAll(async () => {
  if (!skip) browser = await openBrowser();
});
afterAll(async () => {
  if (!skip) await browser.close();
});

test.skipIf(skip)(
  'a deployment is typed in by hand, tried, made the default, and answers',
  async () => {
    const server = await startResponsesServer({
      base: '/openai/v1',
      key: { header: 'api-key', value: MODEL_KEY },
      otherwise: { text: 'There you are.' },
    });
    const program = await start();
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await openPage(context);
    try {
      await page.goto(`${program.address}/settings/model`);
      await page.getByTestId('login-username').fill('owner');
      await page.getByTestId('login-password').fill(PASSWORD);
      await page.getByTestId('login-submit').click();
      await page.getByTestId('upstream-open-azure').click();
      await page.getByTestId('upstream-url-azure').fill(server.origin);
      await page.getByTestId('upstream-key-azure').fill(MODEL_KEY);
      await page.getByTestId('upstream-test-model-azure').fill('my-deployment');
      await page.getByTestId('upstream-test-azure').click();
      await page
        .getByTestId('upstream-result-azure')
        .getByText('answers with the model "my-deployment"')
        .waitFor();
      expect(await page.getByTestId('upstream-url-azure').inputValue()).toBe(`${server.origin}/openai/v1`);
      await page.getByTestId('upstream-test-azure').getByText('Test with one small call').waitFor();
      const form = page.getByTestId('upstream-azure');
      await form.getByTestId('model-name').fill('my-deployment');
      await form.getByRole('button', { name: 'Use this model' }).click();
      await expect
        .poll(async () => (await program.api<ModelsAnswer>('GET', '/api/models')).body.default)
        .toEqual({ provider: 'azure', model: 'my-deployment' });
      for (const scheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        for (const width of [1280, 390]) {
          await page.setViewportSize({ width, height: 900 });
          await form.scrollIntoViewIfNeeded();
          expect(await seriousFindings(page)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth > innerWidth')).toBe(false);
          await shot(page, `azure-${scheme}-${width}`);
        }
      }
      const { events } = await program.say('hi');
      expect(events.at(-1)).toMatchObject({ type: 'done', status: 'done' });
      expect(server.requests.map(({ body }) => body.model)).toEqual(['my-deployment', 'my-deployment']);
      expect(errors.filter((text) => !/status of 401/.test(text))).toEqual([]);
    } finally {
      await context.close();
      await server.close();
    }
  },
  60_000,
);
