/** The inbox in a real browser against the running program: calls and scripts, several at once, two readers, a flood. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Approval, BatchAnswer, InboxList, ScriptRequest } from '../../src/edge/admin/api.ts';
import { startFakeModel, type FakeModel } from '../fakes/openai-server.ts';
import { CHROMIUM, inBothThemes, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';
import { secondsOfWork } from '../support/processes.ts';
import { getScript, modelCalls } from '../support/script-chat.ts';
import { useModel } from '../support/with-fake-model.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
if (skip)
  console.warn('SKIPPED: the tests in a browser need Chromium (apt-get install chromium, or CHROMIUM_PATH).');

const WEATHER = `# @description: The weather of a city
# @secrets: WEATHER_KEY
# @hosts: api.example.com

def weather(city):
    answer = http.get("https://api.example.com/" + city, headers={"authorization": secrets.get("WEATHER_KEY")})
    return {"city": city, "body": answer["body"]}
`;
const SUM = '# @description: Adds two numbers\n\ndef add(a, b):\n    return a + b\n\nresult = add(1, 2)\n';

let browser: Browser;
let model: FakeModel;
let program: RunningProgram;
beforeAll(async () => {
  if (skip) return;
  browser = await openBrowser();
  model = await startFakeModel({});
  program = await startProgram({
    config: 'admin:\n  step_up: true\nserver: {rate_limit: {rate: 10000, burst: 100000}}\n',
  });
  await useModel(program, model);
}, 60_000);
afterAll(async () => {
  if (skip) return;
  await browser.close();
  await program.kill();
  program.remove();
  await model.close();
});

const id = (page: Page, name: string) => page.getByTestId(name);
const card = (page: Page, approval: { readonly id: string }) =>
  page.locator(`[data-testid=inbox-row][data-approval="${approval.id}"]`);
const real = (errors: readonly string[]) => errors.filter((line) => !/status of (401|403|409)/.test(line));

async function logIn(context: BrowserContext, path = '/approvals') {
  const { page, errors } = await openPage(context);
  await page.goto(`${program.address}${path}`);
  await id(page, 'login-username').fill('owner');
  await id(page, 'login-password').fill(PASSWORD);
  await id(page, 'login-submit').click();
  return { page, errors };
}

const open = async (query: string): Promise<InboxList> => {
  const { status, body } = await program.api<InboxList>('GET', `/api/approvals?${query}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
};

/** Lets the model ask for a write in a conversation of its own; what then waits. */
async function ask(path: string, content = 'x', why = ''): Promise<Approval> {
  model.next({ text: why, calls: [{ name: 'workspace_write', arguments: { path, content } }] });
  const chat = await program.chat(await program.newConversation());
  chat.send({ type: 'message', content: `write ${path}` });
  for (let i = 0; i < 200; i += 1) {
    const { approvals } = await open('kind=tool&status=pending');
    const found = approvals.find((each) => each.kind !== 'script' && each.summary.includes(path));
    if (found && found.kind !== 'script') {
      chat.close();
      return found;
    }
    await new Promise((wait) => setTimeout(wait, 50));
  }
  throw new Error(`nobody asked for ${path}\n${program.log()}`);
}
async function waitingScript(name: string): Promise<ScriptRequest> {
  const { approvals } = await open(`kind=script&status=waiting&script=${name}`);
  const found = approvals[0];
  if (found?.kind !== 'script') throw new Error(`${name} does not wait`);
  return found;
}
async function putScript(name: string, source: string): Promise<void> {
  const { status, body } = await program.api('POST', '/api/scripts', { name, source });
  if (status >= 300) throw new Error(`${status} ${JSON.stringify(body)}`);
}
const decide = async (decisions: readonly unknown[]) =>
  program.api<BatchAnswer>('POST', '/api/approvals/batch', { decisions, password: PASSWORD });
async function clear(): Promise<void> {
  for (;;) {
    const { approvals } = await open('kind=all&status=waiting&limit=50');
    if (approvals.length === 0) return;
    await decide(
      approvals.map((each) => ({
        id: each.id,
        digest: each.kind === 'script' ? each.hash : each.digest,
        decision: 'deny',
      })),
    );
  }
}

test.skipIf(skip)(
  'calls and scripts wait in one queue; several are approved with one password and each says what became of it; a script is read where its power stands',
  async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await logIn(context);
    await id(page, 'inbox-empty').getByText('Nothing waits for you').waitFor();
    await shot(page, 'inbox-empty');

    const one = await ask('one.md', 'first', 'I want to keep\u202E this.');
    await modelCalls(program, model, 'script_write', { name: 'weather', source: WEATHER, message: 'Try it' });
    const two = await ask('two.md');
    const three = await ask('three.md');
    const script = await waitingScript('weather');
    for (const each of [one, script, two, three]) await card(page, each).waitFor();
    expect(
      await id(page, 'inbox-row').evaluateAll((all) => all.map((row) => row.getAttribute('data-approval'))),
    ).toEqual([one.id, script.id, two.id, three.id]);
    await card(page, script).getByText('GET to api.example.com with WEATHER_KEY.').waitFor();
    await card(page, script).getByText('may send the secret WEATHER_KEY to api.example.com').waitFor();
    await card(page, one).getByText('U+202E').waitFor();
    // The badge counts both kinds.
    await id(page, 'approvals-badge').first().getByText('4', { exact: true }).waitFor();
    await shot(page, 'inbox-queue');

    // By keyboard: mark the first and the third; a script in the batch leaves only the way to say no.
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await id(page, 'batch-count').getByText('2 selected').waitFor();
    expect(await id(page, 'batch-approve').isDisabled()).toBe(true);
    await id(page, 'batch-note').getByText('approved on its own page').waitFor();
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await id(page, 'batch-count').getByText('2 selected').waitFor();
    await shot(page, 'inbox-marked');

    // Somebody else is faster with one of them: its card says so in its place, and keeps the others in theirs.
    const before = await card(page, three).boundingBox();
    await id(page, 'batch-approve').click();
    await id(page, 'batch-items').getByText('two.md').waitFor();
    await decide([{ id: two.id, digest: two.digest, decision: 'deny', reason: 'Too late\u200B' }]);
    await card(page, two).locator('[data-testid=approval-settled][data-status=denied]').waitFor();
    expect(await card(page, three).boundingBox()).toEqual(before);
    await id(page, 'batch-act').click();
    await id(page, 'batch-password').fill('not the password');
    await id(page, 'batch-act').click();
    await page.getByText('The password is wrong.').waitFor();
    expect((await open(`ids=${one.id}`)).approvals[0]?.status).toBe('pending');
    await id(page, 'batch-password').fill(PASSWORD);
    await shot(page, 'inbox-batch');
    await id(page, 'batch-act').click();
    await id(page, 'batch-results').getByText('1 of 2 approved.').waitFor();
    expect(await id(page, 'batch-result').getAttribute('data-outcome')).toBe('already_decided');
    await shot(page, 'inbox-results');
    await id(page, 'batch-close').click();
    // Nothing is marked any more, so the button that opened it takes no focus: the list has it.
    await expect
      .poll(() => page.evaluate("document.activeElement?.getAttribute('data-testid')"))
      .toBe('inbox-row');
    await card(page, one).locator('[data-testid=approval-settled][data-status=approved]').waitFor();
    expect(await card(page, three).boundingBox()).toEqual(before);

    // Enter goes to the first of the buttons; on a script that is the way to its text.
    await page.keyboard.press('Escape');
    await card(page, script).focus();
    await page.keyboard.press('Enter');
    expect(await page.evaluate("document.activeElement.getAttribute('data-testid')")).toBe(
      'script-request-review',
    );
    await page.keyboard.press('Enter');
    await id(page, 'script-decision').waitFor();
    await page.goBack();

    // Rejected from the list, with a reason that has something in it which nobody sees.
    await card(page, script).getByTestId('script-request-reject').click();
    await id(page, 'script-request-reject-reason').fill('No\u202Eway');
    await id(page, 'script-request-reject-reason-hidden').getByText('U+202E').waitFor();
    await shot(page, 'inbox-reject');
    await id(page, 'script-request-reject-send').click();
    await card(page, script).getByText('Rejected by owner.').waitFor();
    expect(await getScript(program, 'weather')).toMatchObject({
      status: 'rejected',
      reject_reason: 'No\u202Eway',
    });

    // What became of them.
    await id(page, 'inbox-decided').click();
    const rows = id(page, 'approval-decided');
    await rows.first().waitFor();
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-status')))).toEqual([
      'denied',
      'approved',
      'denied',
    ]);
    await rows.nth(2).click();
    await id(page, 'decided-reason').getByText('U+200B').waitFor();
    await shot(page, 'inbox-decided');
    expect(page.url()).toContain(`id=${two.id}`);
    await id(page, 'to-audit').click();
    await page.locator('[data-testid=audit-row][data-event="approval.denied"]').waitFor();
    await page.locator('[data-testid=audit-row][data-event="approval.requested"]').waitFor();
    await page.goBack();
    await id(page, 'inbox-state').selectOption('approved');
    await id(page, 'inbox-words').fill('one.md ');
    await page.waitForURL(/state=approved.*q=one\.md/);
    // Above the list stands the one that the address names, whatever the filter.
    const fitting = page.locator('[aria-labelledby="decided-title"] [data-testid="approval-decided"]');
    await expect
      .poll(() => fitting.allTextContents(), { timeout: 30_000 })
      .toEqual([expect.stringContaining('one.md')]);
    // Whoever goes on typing goes on where they were.
    expect(await id(page, 'inbox-words').inputValue()).toBe('one.md ');
    await id(page, 'inbox-words').fill('nothing has this');
    await id(page, 'decided-empty').getByText('No decision fits').waitFor();
    await context.close();
    expect(real(errors)).toEqual([]);
    await clear();
  },
  120_000,
);

test.skipIf(skip)(
  'what arrives while somebody reads is put at the end, is in nobody’s selection, and can not be approved in the moment in which it appears',
  async () => {
    const first = await ask('first.md');
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const { page, errors } = await logIn(context);
    await card(page, first).waitFor();
    await id(page, 'batch-all').click();
    await id(page, 'batch-count').getByText('1 selected').waitFor();
    const place = await card(page, first).boundingBox();
    await page.evaluate(`
      window.seen = [];
      new MutationObserver((changes) => {
        for (const { addedNodes } of changes)
          for (const node of addedNodes)
            if (node instanceof HTMLElement)
              for (const button of node.querySelectorAll('[data-testid=approval-approve]')) seen.push(button.disabled);
      }).observe(document.body, { childList: true, subtree: true })`);
    const second = await ask('second.md');
    await card(page, second).waitFor();
    expect(await card(page, first).boundingBox()).toEqual(place);
    expect(await page.evaluate('window.seen')).toEqual([true]);
    expect(await id(page, 'batch-count').textContent()).toBe('1 selected');
    await expect
      .poll(() => card(page, second).getByTestId('approval-approve').isDisabled(), { timeout: 5_000 })
      .toBe(false);
    await id(page, 'batch-approve').click();
    await id(page, 'batch-items').waitFor();
    expect(await id(page, 'batch-items').locator('li').count()).toBe(1);
    await ask('third.md');
    await expect.poll(() => id(page, 'inbox-row').count(), { timeout: 15_000 }).toBe(3);
    expect(await id(page, 'batch-items').locator('li').count()).toBe(1);
    await id(page, 'batch-act').click();
    await id(page, 'batch-password').fill(PASSWORD);
    await id(page, 'batch-act').click();
    await id(page, 'batch-results').getByText('1 of 1 approved.').waitFor();
    expect((await open('kind=all&status=waiting')).approvals.map(({ id: each }) => each)).toHaveLength(2);
    await context.close();
    expect(real(errors)).toEqual([]);
    await clear();
  },
  90_000,
);

test.skipIf(skip)(
  'two readers decide on the same at once: one counts, the other is told who was first',
  async () => {
    const contested = await ask('both.md');
    const [a, b] = await Promise.all([
      browser.newContext({ viewport: { width: 1280, height: 900 } }),
      browser.newContext({ viewport: { width: 1280, height: 900 } }),
    ]);
    const [left, right] = [await logIn(a), await logIn(b)];
    for (const { page } of [left, right]) {
      await card(page, contested).getByTestId('inbox-mark').check();
      await id(page, 'batch-deny').click();
      await id(page, 'batch-reason').fill('no');
    }
    await Promise.all([left, right].map(({ page }) => id(page, 'batch-act').click()));
    await Promise.all([left, right].map(({ page }) => id(page, 'batch-results').waitFor()));
    const texts = await Promise.all([left, right].map(({ page }) => id(page, 'batch-results').textContent()));
    expect(texts.filter((text) => text?.includes('1 of 1 denied.'))).toHaveLength(1);
    expect(texts.filter((text) => text?.includes('already decided: denied by user:owner'))).toHaveLength(1);
    const { body: log } = await program.api<{ entries: unknown[] }>(
      'GET',
      `/api/audit?event=approval.denied&target=${contested.id}`,
    );
    expect(log.entries).toHaveLength(1);
    await Promise.all([a.close(), b.close()]);
  },
  60_000,
);

test.skipIf(skip)(
  'the page has no serious finding on a phone and on a desk, light and dark, and doesn’t scroll sideways',
  async () => {
    await ask(
      'look/at-a-rather-long-name-of-a-file-that-goes-on-and-on-and-on.md',
      'a line\n'.repeat(30),
      'So that you see it.',
    );
    await putScript('look', WEATHER);
    await putScript('sum', SUM);
    for (const width of [390, 1280]) {
      const context = await browser.newContext({ viewport: { width, height: 844 }, bypassCSP: true });
      const { page } = await logIn(context);
      await id(page, 'script-request').first().waitFor();
      await id(page, 'batch-all').click();
      const stands = (what: string): Promise<void> =>
        inBothThemes(page, async (theme) => {
          const where = `${what}-${width}-${theme}`;
          await shot(page, where);
          expect(await seriousFindings(page), where).toEqual([]);
          const wide = await page.evaluate<number>(
            "Math.max(...[...document.querySelectorAll('html, .overflow-y-auto')].map((each) => each.scrollWidth - each.clientWidth))",
          );
          expect(wide, `sideways ${where}`).toBe(0);
        });
      await stands('inbox');
      await id(page, 'script-request').first().scrollIntoViewIfNeeded();
      await inBothThemes(page, (theme) => shot(page, `inbox-script-${width}-${theme}`));
      await id(page, 'batch-deny').click();
      await id(page, 'batch-items').waitFor();
      await stands('inbox-batch');
      await page.keyboard.press('Escape');
      await id(page, 'inbox-decided').click();
      await id(page, 'approval-decided').first().click();
      await stands('inbox-decided');
      await context.close();
    }
    await clear();
  },
  120_000,
);

test.skipIf(skip)(
  'with 1,000 calls and 500 versions waiting and 10,000 old ones the page comes and works',
  async () => {
    const { workspace } = program;
    const port = Number(new URL(program.address).port);
    await program.stop();
    const database = new DatabaseSync(join(workspace, 'secure', 'data', 'openpact.db'));
    const now = Date.now();
    const call = database.prepare(
      `INSERT INTO approvals (id, kind, status, conversation_id, turn_id, step, idx, tool, arguments, digest, summary, why,
         created_at, expires_at, decided_at, decided_by, reason)
       VALUES (?, 'tool', ?, 'cnv_flood', NULL, NULL, NULL, 'workspace_write', '{"path":"x"}', ?, ?, '', ?, ?, ?, ?, NULL)`,
    );
    const text = database.prepare('INSERT INTO script_texts VALUES (?, ?, ?)');
    const version = database.prepare(
      `INSERT INTO script_versions (name, hash, author, by_assistant, how, message, created_at)
       VALUES (?, ?, 'assistant:cnv_flood', 1, 'tool', '', ?) RETURNING id`,
    );
    const script = database.prepare(
      `INSERT INTO scripts (name, version, on_disk, revision, created_at, modified_at) VALUES (?, ?, '', 1, ?, ?)`,
    );
    const { createHash } = await import('node:crypto');
    database.exec('BEGIN');
    for (let i = 0; i < 10_000; i += 1)
      call.run(
        `apr_old${i}`,
        'denied',
        'd',
        `Write old file ${i}`,
        now - 60_000 - i,
        now,
        now - 50_000 - i,
        'user:owner',
      );
    for (let i = 0; i < 1_000; i += 1)
      call.run(
        `apr_flood${i}`,
        'pending',
        'd',
        `Write flood ${i}`,
        now - 10_000 + i,
        now + 86_400_000,
        null,
        null,
      );
    for (let i = 0; i < 500; i += 1) {
      const source = `${WEATHER}\n# ${i}\n`;
      const hash = `sha256:${createHash('sha256').update(source).digest('hex')}`;
      text.run(hash, source, Buffer.byteLength(source));
      const { id: number } = version.get(`flood${i}`, hash, now - 9_000 + i) as { id: number };
      script.run(`flood${i}`, number, now, now);
    }
    database.exec('COMMIT');
    database.close();
    program = await startProgram({ workspace, port });
    for (const path of [
      '/api/approvals?kind=all&status=waiting&limit=100',
      '/api/approvals?kind=script&status=waiting&limit=100',
      '/api/approvals/waiting',
      '/api/scripts',
      '/api/approvals?kind=all&status=decided&q=nothing',
      '/api/system/status',
    ]) {
      await program.api('GET', path);
      const before = secondsOfWork(program.pid);
      expect((await program.api('GET', path)).status, path).toBe(200);
      expect(secondsOfWork(program.pid) - before, path).toBeLessThan(3);
    }

    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    const opened = Date.now();
    const { page, errors } = await logIn(context);
    await id(page, 'inbox-row').first().waitFor();
    const opening = Date.now() - opened;
    expect(await id(page, 'inbox-row').count()).toBe(50);
    await page.getByText('50 shown of 1500').waitFor();
    await shot(page, 'inbox-flood');
    const began = Date.now();
    await id(page, 'load-more').click();
    await expect.poll(() => id(page, 'inbox-row').count()).toBe(100);
    expect((Date.now() - began) / opening, 'more of the list against the first of it').toBeLessThan(5);
    await id(page, 'inbox-kind').selectOption('script');
    await id(page, 'script-request').first().waitFor();
    expect(await id(page, 'script-request').count()).toBe(50);
    await id(page, 'batch-all').click();
    await id(page, 'batch-count').getByText('50 selected').waitFor();
    await id(page, 'batch-deny').click();
    await id(page, 'batch-act').click();
    await id(page, 'batch-results').getByText('50 of 50 denied.').waitFor();
    await id(page, 'batch-close').click();
    await id(page, 'inbox-decided').click();
    await id(page, 'approval-decided').first().waitFor();
    await id(page, 'inbox-kind').selectOption('');
    await id(page, 'inbox-words').fill('old file 9999');
    await expect.poll(() => id(page, 'approval-decided').count(), { timeout: 15_000 }).toBe(1);
    await context.close();
    expect(real(errors)).toEqual([]);
  },
  120_000,
);
