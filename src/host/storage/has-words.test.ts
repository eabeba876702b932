import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConversationSearch } from './conversation-search.ts';
import { wordsCondition, wordsValue } from './has-words.ts';
import { createAuditStore, openDatabase, type Database } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'openpact-has-words-'));
let database: Database;

beforeAll(() => {
  database = openDatabase({ path: join(folder, 'openpact.db') });
});
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true, force: true });
});

function has(words: readonly string[], ...texts: readonly (string | null)[]): boolean {
  const columns = texts.map((_, index) => `:text${index}`).join(', ');
  const given = Object.fromEntries(texts.map((text, index) => [`text${index}`, text]));
  const spelled = words.map((word) => [word]);
  const row = database.get<{ found: number }>(`SELECT has_words(:words, ${columns}) AS found`, {
    words: wordsValue(spelled),
    ...given,
  });
  const { sql, values } = wordsCondition('word', spelled, columns.split(', '));
  const short = database.get<{ found: number | null }>(`SELECT ${sql} AS found`, { ...given, ...values });
  expect(short?.found === 1, 'both ways find the same').toBe(row?.found === 1);
  return row?.found === 1;
}

test('each word stands in one of the texts, whatever the case of any script', () => {
  expect(has(['NEEDLE'], 'a needle in it')).toBe(true);
  expect(has(['straße', 'Äpfel'], 'ÄPFEL', 'Straße')).toBe(true);
  expect(has(['ΟΔΟΣ'], 'οδος'), 'a sigma at the end of a word').toBe(true);
  expect(has(['οδοσ'], 'ΟΔΟΣ')).toBe(true);
  expect(has(['one', 'two'], 'one', 'three')).toBe(false);
  expect(has(['%', '_', '*', '[a]'], '100%_ *[a]')).toBe(true);
  expect(has(['a_c'], 'abc')).toBe(false);
  expect(has(['word'], null)).toBe(false);
});

/** Of the quicker of two tries: the machine has other things to do. */
function fastest(act: () => void): number {
  return Math.min(
    ...[1, 2, 3].map(() => {
      const began = performance.now();
      act();
      return performance.now() - began;
    }),
  );
}

test('a word that repeats itself takes about as long as any other in texts that repeat themselves, in conversations and in the log', () => {
  const store = createAuditStore(database);
  database.tx(() => {
    database.run(
      `INSERT INTO conversations (id, title, created_at, updated_at, seq_ceiling) VALUES ('cnv_1', 'title', 1, 1, 100)`,
    );
    for (let seq = 1; seq <= 40; seq += 1) {
      database.run(
        `INSERT INTO events (conversation_id, seq, at, type, payload) VALUES ('cnv_1', :seq, 1, 'text', :payload)`,
        { seq, payload: JSON.stringify({ content: (seq % 2 === 0 ? 'a' : 'ä').repeat(32_000) }) },
      );
    }
    for (let seq = 1; seq <= 1_000; seq += 1) {
      const details = JSON.stringify({ q: 'a'.repeat(1_500) });
      const texts = { event: 'audit.exported', actor: 'user:owner', origin: 'page', target: 'audit' };
      store.append({ seq, at: seq, outcome: 'ok', details, prev_hash: '', hash: String(seq), ...texts });
    }
  });
  const { find } = createConversationSearch(database);
  const look = (text: string): void => void store.page({ direction: 'older', limit: 10, text }, () => false);
  const ordinary = 'zebra'.repeat(40);
  const long = [`${'a'.repeat(199)}b`, `${'ä'.repeat(199)}ö`];
  for (const word of long) {
    const conversations = fastest(() => find([word], 10)) / fastest(() => find([ordinary], 10));
    const log = fastest(() => look(word)) / fastest(() => look(ordinary));
    // It was several hundred, and two hundred.
    expect(conversations, word.slice(0, 2)).toBeLessThan(20);
    expect(log, word.slice(0, 2)).toBeLessThan(20);
  }
});
