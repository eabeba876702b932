/** How long a search through 10,000 messages in 300 conversations takes, with tool results of 3 kB between them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConversationSearch } from '../src/host/storage/conversation-search.ts';
import { createConversationStore, createEventStore, openDatabase } from '../src/host/storage/index.ts';

const CONVERSATIONS = 300;
const MESSAGES = 34;
const ROUNDS = 7;
const WORDS = 'lorem ipsum dolor sit amet content über straße garden plan house budget travel'.split(' ');

const folder = mkdtempSync(join(tmpdir(), 'openpact-bench-'));
const database = openDatabase({ path: join(folder, 'openpact.db') });
const conversations = createConversationStore(database);
const events = createEventStore(database);
let count = 0;
database.tx(() => {
  for (let c = 0; c < CONVERSATIONS; c += 1) {
    const conversation_id = `cnv_${c}`;
    conversations.insert({
      id: conversation_id,
      title: `Conversation ${c}`,
      created_at: c,
      updated_at: c,
      seq_ceiling: 0,
      renamed: 0,
      provider: null,
      model: null,
      fallback: 'default',
      fallback_provider: null,
      fallback_model: null,
    });
    for (let i = 1; i <= MESSAGES; i += 1) {
      count += 1;
      const words = Array.from({ length: 170 }, (_, k) => WORDS[(k * 7 + count * 3 + i) % WORDS.length]);
      const content = `${words.join(' ')}${count === 5_000 ? ' needle nähe' : ''}`;
      const base = { conversation_id, turn_id: 't', part_id: null, at: c };
      const type = i % 2 === 0 ? 'text' : 'user';
      events.put({ ...base, seq: i * 2, type, payload: JSON.stringify({ content }) });
      const payload = JSON.stringify({ result: 'x'.repeat(3_000) });
      events.put({ ...base, seq: i * 2 + 1, type: 'tool_result', payload });
    }
  }
});
const search = createConversationSearch(database);
console.log(`${count} messages in ${CONVERSATIONS} conversations; median and worst of ${ROUNDS} in ms`);
for (const query of ['needle', 'nähe', 'nowhere', 'garden', 'über plan', 'content lorem amet', 'e']) {
  const times: number[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    found = search.find(query.split(' '), 100).length;
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const shown = [times[Math.floor(ROUNDS / 2)] ?? 0, times.at(-1) ?? 0].map((ms) =>
    ms.toFixed(0).padStart(5),
  );
  console.log(`${query.padEnd(20)} ${String(found).padStart(4)} found ${shown.join(' ')}`);
}
database.close();
rmSync(folder, { recursive: true, force: true });
