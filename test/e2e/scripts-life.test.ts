/** The life of a script on the page: made, limited, run, offered more, and deleted. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AuditList, Script } from '../../src/edge/admin/api.ts';
import { newId } from '../../src/core/index.ts';
import { openDatabase } from '../../src/host/storage/index.ts';
import { createScriptRunStore } from '../../src/host/storage/script-run-store.ts';
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
  runLive,
  sideways,
  skip,
  SUM,
} from '../support/script-page.ts';

const ASKS =
  '# @description: Asks a host\n# @hosts: api.example.com\n\nresult = http.get("https://api.example.com/").status\n';

const stage = scriptStage();

test.skipIf(skip)(
  'the owner makes a script on the page; a name that is none or taken is said; each template is a program',
  async () => {
    await putScript(stage.program, 'taken', SUM);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts');
    await id(page, 'script-new').click();
    await id(page, 'script-new-name').fill('-no name');
    await id(page, 'script-new-save').click();
    await id(page, 'script-new-dialog').getByRole('alert').getByText('1 to 64 letters').waitFor();
    await id(page, 'script-new-name').fill('taken');
    await id(page, 'script-new-save').click();
    await id(page, 'script-new-taken').getByText('There is a script taken already').waitFor();
    await shot(page, 'script-new-taken');
    expect((await getScript(stage.program, 'taken')).source).toBe(SUM);
    for (const template of ['compute', 'fetch', 'secret']) {
      if (!(await id(page, 'script-new-dialog').isVisible())) {
        await page.goto(`${stage.program.address}/scripts`);
        await id(page, 'script-new').click();
      }
      await id(page, 'script-new-name').fill(`my-${template}.star`);
      await id(page, `script-template-${template}`).check();
      await id(page, 'script-new-save').click();
      await id(page, 'script-decision').waitFor();
      expect(new URL(page.url()).pathname).toBe(`/scripts/my-${template}`);
      expect((await getScript(stage.program, `my-${template}`)).problems).toEqual([]);
    }
    expect((await getScript(stage.program, 'my-secret')).proposed_grant).toMatchObject({
      secrets: { EXAMPLE_KEY: ['api.example.com'] },
      hosts: ['api.example.com'],
    });
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'by keyboard alone from the list to an approval with limits; a limit that can’t be given stops it',
  async () => {
    await putScript(stage.program, 'aaa-keys', ASKS);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts?q=aaa-keys');
    await page.locator('[data-script=aaa-keys]').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await id(page, 'script-decision').waitFor();
    const reach = async (testId: string) => {
      for (let step = 0; step < 60; step += 1) {
        if (await page.evaluate(`document.activeElement?.dataset['testid'] === '${testId}'`)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab does not lead to ${testId}`);
    };
    await reach('script-quota-runs_per_hour');
    await page.keyboard.type('many');
    await page.getByText('A whole number from 0 to 10000.').waitFor();
    expect(await id(page, 'script-approve').isDisabled()).toBe(true);
    await page.keyboard.press('Control+a');
    await page.keyboard.type('3');
    await reach('script-quota-bytes_per_hour');
    await page.keyboard.type('2.5');
    await id(page, 'script-grant').getByText('at most 3 times, with 600 requests and 2.5 MiB').waitFor();
    await reach('script-approve');
    await page.keyboard.press('Enter');
    await id(page, 'password-dialog-field').waitFor();
    await page.keyboard.type('a long enough passphrase for tests');
    await page.keyboard.press('Enter');
    await id(page, 'script-said').waitFor();
    expect((await getScript(stage.program, 'aaa-keys')).grant?.quotas).toEqual({
      runs_per_hour: 3,
      bytes_per_hour: 2.5 * 1024 * 1024,
    });
    await id(page, 'script-granted').getByText('runs at most 3 times in an hour').waitFor();
    // A new version begins with the limits that the old one had.
    await putScript(stage.program, 'aaa-keys', `${ASKS}# more\n`);
    await id(page, 'script-show-newer').waitFor();
    // What is still shown was approved: it does not ask again.
    expect(await id(page, 'script-decision').count()).toBe(0);
    await id(page, 'script-show-newer').click();
    await id(page, 'script-decision').waitFor();
    expect(await id(page, 'script-quota-runs_per_hour').inputValue()).toBe('3');
    expect(await id(page, 'script-quota-bytes_per_hour').inputValue()).toBe('2.5');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'an approved script is tested made up or for real, each labelled; arguments by name; JSON that is none says where',
  async () => {
    await putScript(stage.program, 'tried', SUM);
    await approveScript(stage.program, 'tried');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/tried');
    await id(page, 'script-test-function').selectOption('add');
    await id(page, 'script-test-args').fill('[1,, 2]');
    await id(page, 'script-test').click();
    await page.getByText('This is no JSON: Unexpected token').waitFor();
    await id(page, 'script-test-args').fill('[40]');
    await id(page, 'script-test-kwargs').fill('["b"]');
    await id(page, 'script-test').click();
    await page.getByText('Write a JSON object, such as').waitFor();
    await id(page, 'script-test-kwargs').fill('{"b": 2}');
    await id(page, 'script-test-canned').check();
    await id(page, 'script-test').getByText('Test it without power').waitFor();
    await id(page, 'script-test').click();
    const result = id(page, 'script-test-result');
    await result.getByText('Made up, without power: it ran').waitFor();
    await result.getByText('42').waitFor();
    expect(await id(page, 'script-run').count()).toBe(0);
    await id(page, 'script-test-live').check();
    await id(page, 'script-test').getByText('Run it now with its power').waitFor();
    await id(page, 'script-test').click();
    await result.getByText('For real, with its grant: it ran').waitFor();
    await id(page, 'script-run').first().getByText('Live test by owner').waitFor();
    await id(page, 'script-test').scrollIntoViewIfNeeded();
    await shot(page, 'script-test-kinds');
    await page.goto(`${stage.program.address}/scripts`);
    await page.locator('[data-script=tried]').getByText('live test').waitFor();
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

const WANTS = `# @description: Wants more than it has
# @secrets: WANTED_KEY, OTHER_KEY
# @hosts: a.example.com, b.example.com

secrets.get("WANTED_KEY")
secrets.get("NOT_DECLARED")
http.get("https://b.example.com/")
`;

test.skipIf(skip)(
  'what a run was refused is offered: exactly that is added, with the password, for this text, and it is in the log',
  async () => {
    await putScript(stage.program, 'wants', WANTS);
    await approveScript(stage.program, 'wants', { secrets: {}, hosts: ['a.example.com'], methods: ['GET'] });
    await runLive(stage.program, 'wants');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/wants');
    const offer = (what: string) => page.locator(`[data-testid=script-offer][data-what="${what}"]`);
    await offer('NOT_DECLARED').getByText('does not declare it').waitFor();
    expect(await offer('NOT_DECLARED').getByTestId('script-offer-take').count()).toBe(0);
    await shot(page, 'script-offers');

    await offer('b.example.com').getByTestId('script-offer-take').click();
    expect(await id(page, 'script-extend-adds').textContent()).toBe(
      'It may then speak to b.example.com with GET. No secret may be sent there.',
    );
    await id(page, 'script-extend-grant')
      .getByText('It reaches a.example.com, b.example.com with GET')
      .waitFor();
    await shot(page, 'script-extend');
    await id(page, 'script-extend-act').click();
    await givePassword(page);
    await id(page, 'script-said').getByText('The grant is extended').waitFor();
    expect((await getScript(stage.program, 'wants')).grant).toEqual({
      secrets: {},
      hosts: ['a.example.com', 'b.example.com'],
      methods: ['GET'],
    });
    await offer('b.example.com').waitFor({ state: 'detached' });

    // Of the places for a secret the owner can leave some out.
    await offer('WANTED_KEY').getByTestId('script-offer-take').click();
    await id(page, 'script-extend').getByRole('checkbox', { name: 'a.example.com' }).uncheck();
    expect(await id(page, 'script-extend-adds').textContent()).toContain('WANTED_KEY to b.example.com, in');
    await id(page, 'script-extend-act').click();
    await givePassword(page);
    await offer('WANTED_KEY').waitFor({ state: 'detached' });
    const now = await getScript(stage.program, 'wants');
    expect(now.grant?.secrets).toEqual({ WANTED_KEY: ['b.example.com'] });
    expect(now.offers.map(({ what }) => what)).toEqual(['NOT_DECLARED']);
    const { body } = await stage.program.api<AuditList>(
      'GET',
      '/api/audit?event=script.approved&target=wants',
    );
    expect(body.entries[0]).toMatchObject({
      details: { hash: now.hash, before: now.hash, grant: now.grant },
    });

    // What is dismissed stays away for this text, however often it is refused; a newer one brings it back.
    await offer('NOT_DECLARED').getByTestId('script-offer-dismiss').click();
    await id(page, 'script-said').getByText('Dismissed').waitFor();
    await offer('NOT_DECLARED').waitFor({ state: 'detached' });
    await runLive(stage.program, 'wants');
    expect((await getScript(stage.program, 'wants')).offers).toEqual([]);
    const { body: dismissed } = await stage.program.api<AuditList>(
      'GET',
      '/api/audit?event=script.offer_dismissed&script=wants',
    );
    expect(dismissed.entries).toMatchObject([
      { actor: 'user:owner', details: { hash: now.hash, kind: 'secret', what: 'NOT_DECLARED' } },
    ]);
    await putScript(stage.program, 'wants', `${WANTS}# newer\n`);
    await approveScript(stage.program, 'wants', { ...now.grant });
    await runLive(stage.program, 'wants');
    await offer('NOT_DECLARED').waitFor();

    // While a newer version waits nothing is added to the old one.
    await putScript(stage.program, 'wants', `${WANTS}# newest\n`);
    await id(page, 'script-show-newer').click();
    await offer('NOT_DECLARED').getByText('Decide on the newest version first').waitFor();
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'runs: a chart with a table, of one outcome alone, older ones on demand, and each opens into its facts',
  async () => {
    await putScript(stage.program, 'often', 'result = 1\n');
    await approveScript(stage.program, 'often');
    await runLive(stage.program, 'often');
    keepRuns('often', 51);
    await putScript(stage.program, 'often', '# @hosts: a.example.com\nhttp.get("https://b.example.com/")\n');
    await approveScript(stage.program, 'often', { methods: ['GET'] });
    await runLive(stage.program, 'often');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/often');
    await id(page, 'script-run-chart').waitFor();
    await page.getByText('53 runs in the last 24 hours').waitFor();
    await id(page, 'script-run-table').getByText('As a table').click();
    expect(await id(page, 'script-run-table').locator('tbody td').allTextContents()).toEqual(
      expect.arrayContaining(['2', '1']),
    );
    expect(await id(page, 'script-run').count()).toBe(50);
    await id(page, 'script-runs-older').click();
    await expect.poll(() => id(page, 'script-run').count()).toBe(53);
    await id(page, 'script-run-outcome').selectOption('error');
    await expect.poll(() => id(page, 'script-run').count()).toBe(1);
    const run = id(page, 'script-run').first();
    await run.getByRole('button').click();
    await run.getByText('host_not_granted').first().waitFor();
    // With what power it began, and with what: equal arguments have equal digests.
    await run.getByText(', no secret').waitFor();
    expect(await run.locator('dt', { hasText: 'Arguments' }).count()).toBe(1);
    const cells = await id(page, 'script-run-requests').locator('tbody td').allTextContents();
    expect(cells.slice(0, 3)).toEqual(['GET', 'b.example.com', 'refused: host_not_granted']);
    await id(page, 'script-run-chart').scrollIntoViewIfNeeded();
    await shot(page, 'script-runs');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
    for (const width of [390, 1280]) {
      const looked = await openAt(stage.browser, stage.program, '/scripts/often', {
        viewport: { width, height: 844 },
        bypassCSP: true,
      });
      await id(looked.page, 'script-run-chart').waitFor();
      await id(looked.page, 'script-run').first().getByRole('button').click();
      await id(looked.page, 'script-run-requests').waitFor();
      await inBothThemes(looked.page, async (theme) => {
        const where = `${width}-${theme}`;
        await id(looked.page, 'script-run-requests').scrollIntoViewIfNeeded();
        await shot(looked.page, `script-runs-${where}`);
        expect(await seriousFindings(looked.page), where).toEqual([]);
        expect(await sideways(looked.page), `sideways ${where}`).toBe(0);
        await looked.page.evaluate("document.querySelector('h1').scrollIntoView()");
        await shot(looked.page, `script-offers-${where}`);
      });
      await id(looked.page, 'script-offer-take').first().click();
      await id(looked.page, 'script-extend').waitFor();
      await inBothThemes(looked.page, async (theme) => {
        await shot(looked.page, `script-extend-${width}-${theme}`);
        expect(await seriousFindings(looked.page), `extend ${width} ${theme}`).toEqual([]);
      });
      await looked.context.close();
    }
  },
  180_000,
);

test.skipIf(skip)(
  'a script is deleted after it was asked about; its name can be taken again, unapproved',
  async () => {
    await putScript(stage.program, 'gone', SUM);
    await approveScript(stage.program, 'gone');
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/gone');
    await id(page, 'script-delete').click();
    await id(page, 'script-delete-dialog').getByText('scripts/gone.star').waitFor();
    await shot(page, 'script-delete');
    await id(page, 'script-delete-dialog-act').click();
    await id(page, 'script-new').waitFor();
    expect(new URL(page.url()).pathname).toBe('/scripts');
    await page.locator('[data-script=gone]').waitFor({ state: 'detached' });
    expect((await stage.program.api<Script>('GET', '/api/scripts/gone')).status).toBe(404);
    const again = await putScript(stage.program, 'gone', SUM);
    expect([again.status, again.grant]).toEqual(['pending', null]);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

/**
 * Runs of the past, two or three an hour: 52 real ones would take minutes. None so old that it leaves the last 24 hours when
 * the hour ends during the test.
 */
function keepRuns(name: string, count: number): void {
  const database = openDatabase({ path: join(stage.program.workspace, 'secure', 'data', 'openpact.db') });
  const store = createScriptRunStore(database);
  const [real] = store.list(name, 1);
  if (!real) throw new Error('there is no run to copy');
  for (let i = 0; i < count; i += 1) {
    const started = real.started_at - ((i % 22) + 1) * 3_600_000;
    store.insert({
      ...real,
      id: newId('run', started),
      started_at: started,
      outcome: i % 10 === 3 ? 'killed' : 'ok',
    });
  }
  database.close();
}
