/**
 * The other pages on a large database: 400 conversations with 10,000 messages, one of them with 5,000, 30,000 calls to
 * models. Times of what the server does for a page; everything but sending it.
 */
import { fillConversations } from './fill-conversations.ts';
import { createUsageStore } from '../src/host/storage/usage-store.ts';

const ROUNDS = 9;
const DAY = 86_400_000;
const { bench, long, now } = fillConversations({
  conversations: 400,
  messages: 10_000,
  long: 5_000,
  calls: 30_000,
});
const usage = createUsageStore(bench.database);
const range = { from: now - 90 * DAY, to: now + DAY };

const acts: Record<string, () => unknown> = {
  'the list of conversations': () => bench.conversations.list({ limit: 100 }),
  'its last page': () =>
    bench.conversations.list({ limit: 100, before: { updated: now - 300 * 60_000, id: 'cnv_~' } }),
  'the newest 50 messages of the long one': () => bench.conversations.messages(long, 50),
  'the long one opened at its end': () => {
    const after = bench.conversations.tail(long, 30);
    const events: unknown[] = [];
    bench.conversations.subscribe(long, after, (event) => events.push(event))();
    return events;
  },
  'what came before that': () => bench.conversations.earlier(long, bench.conversations.tail(long, 30), 30),
  'a search that finds one message': () => bench.conversations.search('needle'),
  'a search that finds all': () => bench.conversations.search('lorem'),
  'a search that finds nothing': () => bench.conversations.search('nowhere at all'),
  'usage of 90 days by day': () => [usage.groups(range, 'day', 400), usage.total(range)],
  'usage of 90 days by conversation': () => [usage.groups(range, 'conversation', 400), usage.total(range)],
};
console.log(`what the server does                        median    worst ms    kB of answer`);
for (const [name, act] of Object.entries(acts)) {
  const times: number[] = [];
  let size = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    size = JSON.stringify(act()).length;
    times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const figures = [times[Math.floor(ROUNDS / 2)] ?? 0, times.at(-1) ?? 0].map((ms) =>
    ms.toFixed(1).padStart(8),
  );
  console.log(`${name.padEnd(42)}${figures.join(' ')}    ${(size / 1024).toFixed(0).padStart(8)}`);
}
await bench.close();
bench.remove();
