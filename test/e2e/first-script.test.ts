/** The way that the README names to a first script, in a real browser, with the demo in the place of a model. */
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { shot } from '../support/browser.ts';
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
} from '../support/script-page.ts';

const stage = scriptStage();

const said = (page: Page, text: string) => id(page, 'transcript').getByText(text).first();
async function say(page: Page, text: string): Promise<void> {
  await id(page, 'composer').fill(text);
  await id(page, 'send').click();
}

test.skipIf(skip)(
  'the demo proposes a script, the owner reads and approves it, and the demo runs it',
  async () => {
    const chat = `/chat/${await stage.program.newConversation()}`;
    const { context, page, errors } = await openAt(stage.browser, stage.program, chat);
    await say(page, 'write a script hello');
    await said(page, 'It waits for you on the page Approvals').waitFor();
    await say(page, 'run hello');
    await said(page, 'hello did not run:').waitFor();
    await shot(page, 'first-script-waits');

    await id(page, 'rail-approvals').click();
    await page.locator('[data-script=hello]').getByText('Read it and decide').click();
    await id(page, 'script-refused').getByText('It does not run before you approve it.').waitFor();
    // What asks for no host has no requests and answers that could be limited.
    await id(page, 'script-quota-runs_per_hour').waitFor();
    expect(await id(page, 'script-quota-requests_per_hour').count()).toBe(0);
    await id(page, 'script-approve').click();
    await givePassword(page);
    await id(page, 'script-said').getByText('Approved').waitFor();

    await page.goto(`${stage.program.address}${chat}`);
    await said(page, 'hello did not run:').waitFor();
    await say(page, 'run hello');
    await said(page, 'Hello, world').waitFor();
    expect((await getScript(stage.program, 'hello')).last_run?.outcome).toBe('ok');
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

test.skipIf(skip)(
  'a script that begins with a template sends each of its requests once',
  async () => {
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts');
    await id(page, 'script-new').click();
    await id(page, 'script-new-name').fill('items');
    await id(page, 'script-template-fetch').check();
    await id(page, 'script-new-save').click();
    await id(page, 'script-test-http').fill('{"GET https://api.example.com/items": {"body": "[1, 2]"}}');
    await id(page, 'script-test').click();
    const asked = id(page, 'script-test-result').getByText('GET https://api.example.com/items');
    await asked.waitFor();
    expect((await asked.textContent())?.match(/GET /g)).toHaveLength(1);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  60_000,
);

test.skipIf(skip)(
  'a script says which secret it lacks, leads to setting it, and the page of powers names where it reaches; a changed one says what it asks for beside what it was given',
  async () => {
    await putScript(stage.program, 'lacks', KEYED);
    const { context, page, errors } = await openAt(stage.browser, stage.program, '/scripts/lacks', {
      viewport: { width: 390, height: 844 },
    });
    await id(page, 'script-missing-secrets').getByText('LACKED_KEY').click();
    expect(await id(page, 'secret-name').inputValue()).toBe('LACKED_KEY');
    await id(page, 'secret-value').fill('Zq8vR2mX7pLw4TnBc91K');
    await id(page, 'secret-save').click();
    await givePassword(page);
    await page.locator('[data-testid=secret-row][data-name=LACKED_KEY]').waitFor();
    expect(await sideways(page)).toBe(0);
    // It was opened; the script that asks for it stands there.
    await page.getByRole('link', { name: 'lacks', exact: true }).waitFor();

    // The dialog for the password takes the place of this one: the focus stays in it, and does not go back to the button.
    await id(page, 'secret-edit').click();
    await id(page, 'secret-note').fill('of a test');
    await id(page, 'secret-save').click();
    await id(page, 'password-dialog-field').waitFor();
    await page.waitForTimeout(500);
    expect(await page.evaluate<string>('document.activeElement.dataset.testid ?? ""')).toBe(
      'password-dialog-field',
    );
    await givePassword(page);
    await page.getByText('of a test').waitFor();

    await approveScript(stage.program, 'lacks');
    await page.goto(`${stage.program.address}/capabilities`);
    await page
      .getByText('The script lacks, which you approved, may send the secret LACKED_KEY to api.example.com')
      .waitFor();
    await page.goto(`${stage.program.address}/scripts/lacks`);
    await id(page, 'script-granted').waitFor();
    expect(await id(page, 'script-missing-secrets').count()).toBe(0);

    await putScript(stage.program, 'lacks', '# @description: Computes now\n\nresult = 1\n');
    await page.goto(`${stage.program.address}/scripts`);
    await page
      .getByText('Approved: GET to api.example.com with LACKED_KEY. Asked for now: Computes only.')
      .waitFor();
    await page.goto(`${stage.program.address}/capabilities`);
    await page.getByText('It can never reach the web through a script').waitFor();
    expect(await page.locator('[data-testid=more][data-status=active]').count()).toBe(1);
    await context.close();
    expect(errors.filter((line) => !expected(line))).toEqual([]);
  },
  90_000,
);

const KEYED = `# @description: Needs a key that is not there
# @secrets: LACKED_KEY
# @hosts: api.example.com

def main():
    return http.get("https://api.example.com/", headers = {"authorization": secrets.get("LACKED_KEY")}).status
`;
