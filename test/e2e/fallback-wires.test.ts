/** The switch to the fallback from each wire to each other one, in the middle of a turn that has called a tool. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { messageEvents, startAnthropicServer } from '../fakes/anthropic-server.ts';
import { startGeminiServer } from '../fakes/gemini-server.ts';
import { startFakeModel } from '../fakes/openai-server.ts';
import { startResponsesServer } from '../fakes/responses-server.ts';
import { start } from '../support/with-fake-model.ts';

const keyOf = (provider: string): string => `sk-${provider}-Zq8vR2mX7pLw4TnBc91K`;
const WRITE = { name: 'memory_write', arguments: { content: 'once\n', append: true } };
/** Beyond what the gateway waits for. */
const BUSY = { status: 503, headers: { 'retry-after': '3600' } } as const;
/** What each fake provider signs its thinking with. */
const SIGNATURES = /ANTHROPIC-SIGNED|CpcBAdHtim9|gAAA/;

interface Side {
  readonly url: string;
  readonly model: string;
  /** The next answer calls a tool, with signed thinking; the one after it is a refusal. */
  failInTheMiddle(): void;
  readonly requests: readonly { readonly headers: unknown; readonly body: unknown }[];
  close(): Promise<void>;
}

async function sides(): Promise<Readonly<Record<string, Side>>> {
  const anthropic = await startAnthropicServer();
  const google = await startGeminiServer({ apiKey: keyOf('google') });
  const azure = await startResponsesServer();
  const compatible = await startFakeModel({});
  const busy = { ...BUSY, body: { error: { code: 503, message: 'busy' } } };
  const call = { thinking: 'Let me write.', calls: [WRITE, WRITE] };
  return {
    anthropic: {
      ...anthropic,
      model: 'claude-sonnet-4-5',
      failInTheMiddle: () =>
        anthropic.next(
          {
            events: messageEvents(
              [
                { type: 'thinking', thinking: 'Let me write.', signature: 'ANTHROPIC-SIGNED' },
                { type: 'tool_use', id: 'toolu_1', name: WRITE.name, input: WRITE.arguments },
                { type: 'tool_use', id: 'toolu_2', name: WRITE.name, input: WRITE.arguments },
              ],
              'tool_use',
            ),
          },
          busy,
        ),
    },
    google: { ...google, model: 'gemini-3-pro-preview', failInTheMiddle: () => google.next(call, busy) },
    azure: { ...azure, model: 'deployment-1', failInTheMiddle: () => azure.next(call, busy) },
    'openai-compatible': {
      ...compatible,
      model: 'fake-1',
      failInTheMiddle: () => compatible.next(call, { ...BUSY }),
    },
  };
}

test('whichever wire fails after a tool call, every other one takes the turn over: nothing signed and no key of the first reaches it', async () => {
  const all = await sides();
  try {
    const program = await start();
    for (const [provider, { url }] of Object.entries(all)) {
      const change = { base_url: url, enabled: true, api_key: keyOf(provider) };
      expect((await program.api('PUT', `/api/llm/upstreams/${provider}`, change)).status).toBe(200);
    }
    let turns = 0;
    for (const [from, first] of Object.entries(all)) {
      for (const [to, second] of Object.entries(all)) {
        if (from === to) continue;
        const id = await program.newConversation();
        const chosen = await program.api('PUT', `/api/sessions/${id}`, {
          model: { provider: from, model: first.model },
          fallback: { provider: to, model: second.model },
        });
        expect(chosen.status).toBe(200);
        first.failInTheMiddle();
        const before = second.requests.length;
        const chat = await program.chat(id);
        chat.send({ type: 'message', content: 'note it' });
        await chat.until((event) => event.type === 'done');
        chat.close();
        turns += 1;
        const problems = chat.events.filter((event) => event.type === 'error');
        expect(problems, `${from} to ${to}`).toEqual([]);
        expect(chat.events.at(-1), `${from} to ${to}`).toMatchObject({ type: 'done', status: 'done' });
        const sent = second.requests.slice(before);
        expect(sent).toHaveLength(1);
        const text = JSON.stringify(sent.map(({ headers, body }) => [headers, body]));
        expect(text).not.toMatch(SIGNATURES);
        expect(text).not.toContain(keyOf(from));
        expect(text).toContain(keyOf(to));
      }
    }
    const memory = readFileSync(join(program.workspace, 'ai-data', 'MEMORY.md'), 'utf8');
    expect(memory.split('once').length - 1).toBe(turns * 2);
  } finally {
    for (const { close } of Object.values(all)) await close();
  }
}, 90_000);
