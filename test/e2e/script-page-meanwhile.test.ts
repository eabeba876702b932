/** The page of a script while somebody else decides, writes or deletes: nothing old is decided on, nothing written is lost. */
import type { Page, Route } from 'playwright-core';
import { expect, test } from 'vitest';
import { inEveryLook, seriousFindings, shot } from '../support/browser.ts';
import { getScript } from '../support/script-chat.ts';
import {
  approveScript,
  expected,
  givePassword,
  id,
  openAt,
  putScript,
  scriptStage,
  runLive,
  skip,
  SUM,
  WEATHER,
  writeCode,
} from '../support/script-page.ts';

const stage = scriptStage();
const MINUS = SUM.replace('a + b', 'a - b');
const TIMES = SUM.replace('a + b', 'a * b');

const disable = async (name: string) => {
  const { status } = await stage.program.api('POST', `/api/scripts/${name}/disable`, {});
  expect(status).toBe(200);
};
const focused = (page: Page) =>
  page.evaluate<string | undefined>("document.activeElement?.querySelector('[data-testid]')?.dataset.testid");

/** Keeps the next call of this kind on its way until it is let go. */
async function hold(page: Page, method: string, path: RegExp) {
  let letGo = (): void => undefined;
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((done) => (arrive = done));
  const gone = new Promise<void>((done) => (letGo = done));
  const handler = async (route: Route) => {
    if (route.request().method() !== method) return route.fallback();
    arrive();
    await gone;
    return route.continue();
  };
  await page.route(path, handler);
  return { arrived, letGo: () => letGo() };
}

test.skipIf(skip)(
  'a page that was visited before begins with what stands there now, not with what was seen then',
  async () => {
    await putScript(stage.program, 'again', SUM);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/again');
    await id(page, 'script-code').getByText('return a + b').waitFor();
    await page.getByRole('link', { name: 'All scripts' }).click();
    await page.locator('[data-script=again]').waitFor();
    await putScript(stage.program, 'again', MINUS);
    await page.locator('[data-script=again]').click();
    await id(page, 'script-code').getByText('return a - b').waitFor();
    expect(await id(page, 'script-newer').count()).toBe(0);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  120_000,
);

test.skipIf(skip)(
  'what is written in the editor outlives a restore, somebody else’s version and its own saving',
  async () => {
    await putScript(stage.program, 'kept', SUM);
    await putScript(stage.program, 'kept', TIMES);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/kept');
    await id(page, 'script-edit').click();
    await writeCode(page, MINUS);
    await id(page, 'script-version').last().getByRole('button').first().click();
    await id(page, 'script-restore').click();
    await id(page, 'script-restore-dialog-act').click();
    await id(page, 'script-meanwhile').getByText('what your text would change').waitFor();
    await id(page, 'script-text').getByText('return a - b').waitFor();
    expect((await getScript(stage.program, 'kept')).source).toBe(SUM);
    await id(page, 'script-meanwhile-take').click();

    // What is written while the text is on its way to be saved is still there afterwards.
    const saving = await hold(page, 'PUT', /\/api\/scripts\/kept$/);
    await id(page, 'script-save').click();
    await saving.arrived;
    await writeCode(page, `${MINUS}# one more line\n`);
    saving.letGo();
    await id(page, 'script-said').getByText('Saved.').waitFor();
    await id(page, 'script-draft-diff').getByText('+# one more line').waitFor();
    expect((await getScript(stage.program, 'kept')).source).toBe(MINUS);
    await expect.poll(() => id(page, 'script-save').isEnabled()).toBe(true);
    await page.unroute(/\/api\/scripts\/kept$/);
    await id(page, 'script-save').click();
    await id(page, 'script-code').getByText('# one more line').waitFor();

    // An editor in which nothing is written follows, and takes nothing back.
    await id(page, 'script-edit').click();
    await id(page, 'script-text').getByText('# one more line').waitFor();
    await putScript(stage.program, 'kept', TIMES);
    await id(page, 'script-meanwhile').getByText('You have written nothing here yet').waitFor();
    await shot(page, 'script-meanwhile-untouched');
    await id(page, 'script-meanwhile-take').click();
    await id(page, 'script-text').getByText('return a * b').waitFor();
    await page.getByText('Nothing is changed yet.').waitFor();
    // One of them waits, though its text is there twice.
    await expect.poll(() => id(page, 'script-version').getByText('waits').count()).toBe(1);
    expect(await id(page, 'script-version').first().textContent()).toContain('newest, waits');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  180_000,
);

test.skipIf(skip)(
  'a version that is read stays open when a newer one comes',
  async () => {
    await putScript(stage.program, 'read', SUM);
    await putScript(stage.program, 'read', TIMES);
    const { context, page } = await openAt(stage.browser, stage.program, '/scripts/read');
    await id(page, 'script-version').last().getByRole('button').first().click();
    await id(page, 'script-restore').click();
    await id(page, 'script-restore-dialog').waitFor();
    await putScript(stage.program, 'read', MINUS);
    await expect.poll(() => id(page, 'script-version').count(), { timeout: 15_000 }).toBe(3);
    expect(await id(page, 'script-restore-dialog').isVisible()).toBe(true);
    await id(page, 'script-restore-dialog-act').click();
    await id(page, 'script-restore-dialog').waitFor({ state: 'detached' });
    expect((await getScript(stage.program, 'read')).source).toBe(SUM);
    await context.close();
  },
  120_000,
);

test.skipIf(skip)(
  'what the reviewer left out stays left out when somebody else acts on the same text, and what was said of an act goes when it is over',
  async () => {
    await putScript(stage.program, 'less', WEATHER);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/less');
    const other = id(page, 'script-narrow').getByRole('checkbox', { name: 'other.example.com' });
    await other.uncheck();
    const { hash } = await getScript(stage.program, 'less');
    const { status } = await stage.program.api('POST', '/api/scripts/less/reject', { hash });
    expect(status).toBe(200);
    await id(page, 'script-rejected').waitFor();
    expect(await other.isChecked()).toBe(false);
    await disable('less');
    await id(page, 'script-decision').waitFor({ state: 'detached' });
    await id(page, 'script-enable').click();
    await givePassword(page);
    await id(page, 'script-decision').waitFor();
    expect(await other.isChecked()).toBe(false);
    await id(page, 'script-approve').click();
    await givePassword(page);
    await id(page, 'script-said').getByText('Approved').waitFor();
    expect((await getScript(stage.program, 'less')).grant?.hosts).toEqual(['api.example.com']);
    // The button that had the focus is gone; the keyboard goes on from what became of it.
    await expect.poll(() => focused(page)).toBe('script-said');
    await disable('less');
    await id(page, 'script-said').waitFor({ state: 'detached' });
    await id(page, 'script-enable').click();
    await givePassword(page);
    await id(page, 'script-said').getByText('Enabled').waitFor();
    await disable('less');
    await id(page, 'script-said').waitFor({ state: 'detached' });
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  120_000,
);

const WANTS = '# @hosts: a.example.com, b.example.com\nhttp.get("https://b.example.com/")\n';

test.skipIf(skip)(
  'an offer is taken for the version that the dialog showed, whatever was approved meanwhile',
  async () => {
    await putScript(stage.program, 'offer', WANTS);
    await approveScript(stage.program, 'offer', { hosts: ['a.example.com'], methods: ['GET'] });
    await runLive(stage.program, 'offer');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/offer');
    await id(page, 'script-offer-take').click();
    await id(page, 'script-extend').waitFor();
    await putScript(stage.program, 'offer', `${WANTS}# newer\n`);
    const given = { hosts: ['a.example.com'], methods: ['GET'] };
    await approveScript(stage.program, 'offer', given);
    // The page knows of the newer one by now.
    await id(page, 'script-newer').waitFor();
    await id(page, 'script-extend-act').click();
    await givePassword(page);
    await id(page, 'script-problem').getByText('nothing was decided').waitFor();
    expect((await getScript(stage.program, 'offer')).grant).toMatchObject(given);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  120_000,
);

test.skipIf(skip)(
  'the page says that a script was deleted meanwhile, and that OpenPact does not answer, and goes on when it does',
  async () => {
    await putScript(stage.program, 'elsewhere', SUM);
    await putScript(stage.program, 'stays', SUM);
    const { context, page } = await openAt(stage.browser, stage.program, '/scripts/elsewhere', {
      bypassCSP: true,
    });
    await id(page, 'script-code').waitFor();
    // A device that is cut off from the internet still has OpenPact on it.
    await page.evaluate("dispatchEvent(new Event('offline'))");
    expect((await stage.program.api('DELETE', '/api/scripts/elsewhere')).status).toBe(204);
    await id(page, 'script-gone').waitFor();
    expect(await id(page, 'script-decision').count()).toBe(0);
    await inEveryLook(page, async (where) => {
      await shot(page, `script-gone-${where}`);
      expect(await seriousFindings(page), where).toEqual([]);
    });
    await page.goto(`${stage.program.address}/scripts/stays`);
    await id(page, 'script-code').waitFor();
    await page.route(/\/api\//, (route) => route.abort());
    await id(page, 'no-answer').getByText('What is shown is as it was at').waitFor();
    await id(page, 'engine-state').waitFor({ state: 'detached' });
    await inEveryLook(page, async (where) => {
      await shot(page, `no-answer-${where}`);
      expect(await seriousFindings(page), where).toEqual([]);
    });
    await page.unroute(/\/api\//);
    await id(page, 'no-answer').waitFor({ state: 'detached' });
    await context.close();
  },
  180_000,
);
