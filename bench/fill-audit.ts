/** Fills an audit log as years of use would: real hashes, a signed head, the events of turns, tools, logins and refusals. */
import { canonicalJson } from '../src/core/index.ts';
import { headMac, rowHash, START } from '../src/guard/audit/index.ts';
import { createAuditStore, type Database } from '../src/host/storage/index.ts';

export const BENCH_KEY = new Uint8Array(32).fill(7);
export const CONVERSATIONS = 400;
const PER_COMMIT = 50_000;
/** Between two entries, in ms: ten million of them are a little more than three years. */
export const PACE = 10_000;
export const BEGAN = Date.UTC(2023, 0, 1);

const EVENTS = [
  ['turn.created', 'user:owner', 'ok'],
  ['turn.started', 'assistant', 'ok'],
  ['llm.call', 'assistant', 'ok'],
  ['tool.intent', 'assistant', 'intent'],
  ['tool.result', 'assistant', 'ok'],
  ['llm.call', 'assistant', 'ok'],
  ['turn.ended', 'assistant', 'ok'],
] as const;

/** Appends up to `rows` entries; goes on where a log ends. */
export function fillAudit(database: Database, rows: number, told?: (done: number) => void): void {
  const store = createAuditStore(database);
  const { last } = store.ends();
  let seq = last?.seq ?? 0;
  let prev_hash = last?.hash ?? START;
  for (let start = seq; start < rows; start += PER_COMMIT) {
    database.tx(() => {
      for (seq = start + 1; seq <= Math.min(start + PER_COMMIT, rows); seq += 1) {
        const content = { ...entry(seq), prev_hash };
        prev_hash = rowHash(content);
        store.append({ ...content, hash: prev_hash });
      }
      seq -= 1;
      store.setHead({ seq, hash: prev_hash, mac: headMac(BENCH_KEY, seq, prev_hash) });
    });
    told?.(seq);
  }
}

/** Rare ones among the many: a login every 1,000, a refusal every 5,000, one change of the policy early on. */
function entry(seq: number) {
  const at = BEGAN + seq * PACE;
  const conversation = `cnv_${String((seq * 7919) % CONVERSATIONS).padStart(26, '0')}`;
  const base = { seq, at, origin: 'page' };
  if (seq === 1_234)
    return {
      ...base,
      event: 'policy.changed',
      actor: 'user:owner',
      target: 'policy',
      outcome: 'ok',
      details: '{}',
    };
  if (seq % 5_000 === 77) {
    const details = canonicalJson({ rule: 'default-deny', conversation });
    return {
      ...base,
      event: 'tool.refused',
      actor: `assistant:${conversation}`,
      target: 'write_file secure/config.yaml',
      outcome: 'refused',
      details,
    };
  }
  if (seq % 1_000 === 3) {
    const details = canonicalJson({ address: `10.0.${seq % 200}.7` });
    return {
      ...base,
      event: 'login.failed',
      actor: `anonymous:10.0.${seq % 200}.7`,
      target: 'owner',
      outcome: 'refused',
      details,
    };
  }
  const [event, who, outcome] = EVENTS[seq % EVENTS.length] ?? EVENTS[0];
  const turn = `trn_${String(Math.floor(seq / EVENTS.length)).padStart(26, '0')}`;
  const tool = event.startsWith('tool.');
  return {
    ...base,
    event,
    actor: who === 'assistant' ? `assistant:${conversation}` : who,
    target: tool ? `read_file notes/day-${seq % 2_000}.md` : event === 'llm.call' ? 'demo/demo' : turn,
    outcome,
    details: canonicalJson(
      tool
        ? { turn, step: 1, rule: 'workspace-read', digest: 'c0ffee'.repeat(10), duration_ms: seq % 90 }
        : { conversation, turn, input_tokens: seq % 4_000, output_tokens: seq % 700 },
    ),
  };
}
