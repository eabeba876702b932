/** Several hundred conversations, and one with thousands of messages, in a real browser. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Conversation, EarlierEvents } from '../../src/edge/admin/api.ts';
import { workspacePaths } from '../../src/host/files/workspace-paths.ts';
import { createConversationStore, createEventStore, openDatabase } from '../../src/host/storage/index.ts';
import { CHROMIUM, openBrowser, openPage, seriousFindings, shot } from '../support/browser.ts';
import { PASSWORD, startProgram, type RunningProgram } from '../support/running-program.ts';

const skip = CHROMIUM === undefined && process.env['OPENPACT_CI'] !== '1';
const LONG = `cnv_${'z'.repeat(26)}`;
const TURNS = 1_500;
const OTHERS = 330;
let browser: Browser;
let program: RunningProgram;

beforeAll(async () => {
  program = await startProgram();
  const database = openDatabase({ path: workspacePaths(program.workspace).database });
  const conversations = createConversationStore(database);
  const events = createEventStore(database);
  const now = Date.now();
  const row = {
    seq_ceiling: TURNS * 4,
    renamed: 0,
    provider: null,
    model: null,
    fallback: 'default',
    fallback_provider: null,
    fallback_model: null,
    created_at: now,
  } as const;
  database.tx(() => {
    // Three at a time were last used in the same millisecond.
    for (let i = 0; i < OTHERS; i += 1)
      conversations.insert({
        ...row,
        id: `cnv_${String(i).padStart(26, '0')}`,
        title: `Number ${i}`,
        updated_at: now - Math.floor(i / 3) * 60_000,
      });
    conversations.insert({ ...row, id: LONG, title: 'The long one', updated_at: now + 1_000 });
    const put = (seq: number, turn: number, type: string, payload: object): void =>
      events.put({
        conversation_id: LONG,
        seq,
        turn_id: `trn_${turn}`,
        part_id: null,
        type,
        payload: JSON.stringify(payload),
        at: now,
      });
    for (let turn = 0; turn < TURNS; turn += 1) {
      const seq = turn * 4;
      put(seq + 1, turn, 'user', { message_id: `msg_${turn}`, content: `Question ${turn} of many` });
      put(seq + 2, turn, 'tool_call', {
        id: `c${turn}`,
        name: 'read_file',
        arguments: { path: `${turn}.md` },
      });
      // The result of one call comes after the next message was sent: the two belong together all the same.
      put(seq + 3, turn, 'text', { part_id: `p${turn}`, content: `Answer ${turn}` });
      put(seq + 4, turn, 'done', { status: 'done', can_retry: false, can_continue: false });
    }
    events.put({
      conversation_id: LONG,
      seq: TURNS * 4 + 1,
      turn_id: 'trn_3',
      part_id: null,
      type: 'tool_result',
      payload: JSON.stringify({ id: 'c3', result: 'late', is_error: false, redactions: {}, outcome: 'done' }),
      at: now,
    });
  });
  database.close();
  if (!skip) browser = await openBrowser();
}, 60_000);
afterAll(async () => {
  if (!skip) await browser.close();
  await program.kill();
  program.remove();
});

test('the list is paged by time and id: none twice, none left out', async () => {
  const seen: string[] = [];
  let place = '';
  for (;;) {
    const { body } = await program.api<Conversation[]>('GET', `/api/sessions?limit=100${place}`);
    seen.push(...body.map(({ id }) => id));
    const last = body.at(-1);
    if (body.length < 100 || !last) break;
    place = `&before=${last.time.updated}&before_id=${last.id}`;
  }
  expect(seen).toHaveLength(OTHERS + 1);
  expect(new Set(seen).size).toBe(OTHERS + 1);
  expect((await program.api('GET', '/api/sessions?before_id=x')).status).toBe(400);
});

test('earlier events come whole, turn by turn, back to the first', async () => {
  const messages: number[] = [];
  let before = TURNS * 4 + 2;
  for (;;) {
    const { body } = await program.api<EarlierEvents>(
      'GET',
      `/api/sessions/${LONG}/events?before=${before}&messages=200`,
    );
    messages.unshift(...body.events.filter(({ type }) => type === 'user').map(({ seq }) => seq));
    if (body.from === 0) break;
    before = body.from + 1;
  }
  expect(messages).toEqual(Array.from({ length: TURNS }, (_, turn) => turn * 4 + 1));
});

const id = (page: Page, name: string) => page.getByTestId(name);

test.skipIf(skip)(
  'a long conversation opens at its end, goes up without a jump, and takes a new message',
  async () => {
    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      const context = await browser.newContext({ viewport: { width, height: 800 }, colorScheme });
      const { page, errors } = await openPage(context);
      await page.goto(`${program.address}/chat/${LONG}`);
      await id(page, 'login-username').fill('owner');
      await id(page, 'login-password').fill(PASSWORD);
      await id(page, 'login-submit').click();
      const said = (turn: number) => page.getByText(`Question ${turn} of many`, { exact: true });
      await said(TURNS - 1).waitFor();
      expect(await id(page, 'user-message').count()).toBeLessThan(60);
      await expect.poll(() => said(TURNS - 1).isVisible()).toBe(true);
      const scrolled = () =>
        id(page, 'transcript').evaluate(
          (element) => element.scrollHeight - element.scrollTop - element.clientHeight,
        );
      expect(await scrolled()).toBeLessThan(50);
      await shot(page, `long-conversation-${colorScheme}-${width}`);

      const count = await id(page, 'user-message').count();
      const mark = said(TURNS - count + 2);
      await mark.scrollIntoViewIfNeeded();
      await expect.poll(() => id(page, 'user-message').count()).toBeGreaterThan(count);
      await mark.waitFor();
      // Where it was read, within a line.
      const box = await mark.boundingBox();
      expect(box && box.y > -60 && box.y < 800).toBe(true);
      expect(await page.getByTestId('new-messages').count()).toBe(0);
      expect(await seriousFindings(page)).toEqual([]);
      expect(errors.filter((text) => !/status of 401/.test(text))).toEqual([]);

      await id(page, 'composer').fill(`And now, at ${width}`);
      await id(page, 'send').click();
      await page.getByText(`And now, at ${width}`, { exact: true }).first().waitFor();
      await id(page, 'stop').waitFor({ state: 'detached' });
      await expect.poll(scrolled).toBeLessThan(50);

      if (width > 700) {
        const items = id(page, 'conversation-item');
        await expect.poll(() => items.count()).toBe(100);
        for (const expected of [200, 300, OTHERS + 1]) {
          await id(page, 'older-conversations').click();
          await expect.poll(() => items.count()).toBe(expected);
        }
        await expect.poll(() => id(page, 'older-conversations').count()).toBe(0);
      }
      await context.close();
    }
  },
  120_000,
);
