/**
 * What the LLM gateway costs until the first token and until the end, against a direct call of the same fake model.
 * Interleaved, so that a busy machine hits both alike. `node bench/gateway.ts [pairs]`
 */
import { startModelRig } from '../test/fakes/model-rig.ts';

const pairs = Number(process.argv[2] ?? 300);
const WARM_UP = 30;
const answer = { text: Array.from({ length: 20 }, (_, i) => `word ${i} `) };
const messages = [
  { role: 'system', content: 'You are an assistant. '.repeat(200) },
  { role: 'user', content: 'Tell me something.' },
];

interface Sample {
  readonly first: number;
  readonly total: number;
}

async function measured(call: () => Promise<Response>): Promise<Sample> {
  const began = performance.now();
  const response = await call();
  let first: number | undefined;
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (first === undefined && text.includes('word 0')) first = performance.now() - began;
  }
  if (first === undefined || !text.includes('word 19')) throw new Error(`no answer: ${text.slice(0, 300)}`);
  return { first, total: performance.now() - began };
}

const rig = await startModelRig({ model: { otherwise: answer }, turn: { maxSteps: Infinity } });
const body = JSON.stringify({ model: rig.turn.model, stream: true, messages });
const headers = { authorization: `Bearer ${rig.turn.capability}`, 'content-type': 'application/json' };
const direct = (): Promise<Response> =>
  fetch(`${rig.model.url}/chat/completions`, { method: 'POST', headers, body });
const gateway = (): Promise<Response> => rig.raw({ headers, body });

const samples = { direct: [] as Sample[], gateway: [] as Sample[], commit: [] as number[] };
const commit = (): number => {
  const began = performance.now();
  rig.database.run(
    "INSERT INTO settings (key, value, updated_at) VALUES ('bench', '1', 1) ON CONFLICT (key) DO UPDATE SET updated_at = updated_at + 1",
  );
  return performance.now() - began;
};
for (let i = 0; i < pairs + WARM_UP; i += 1) {
  const one = await measured(direct);
  const other = await measured(gateway);
  const disk = commit();
  if (i >= WARM_UP) {
    samples.direct.push(one);
    samples.gateway.push(other);
    samples.commit.push(disk);
  }
}
await rig.close();

const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

console.log(`LLM gateway, ${pairs} calls each, interleaved; milliseconds`);
const rows = (['first', 'total'] as const).flatMap((what) =>
  ([0.5, 0.95] as const).map((share) => {
    const plain = at(
      samples.direct.map((sample) => sample[what]),
      share,
    );
    const through = at(
      samples.gateway.map((sample) => sample[what]),
      share,
    );
    return {
      'until the': what === 'first' ? 'first token' : 'end',
      percentile: share * 100,
      direct: plain.toFixed(2),
      gateway: through.toFixed(2),
      difference: (through - plain).toFixed(2),
      ratio: (through / plain).toFixed(2),
    };
  }),
);
console.table(rows);
console.log(
  `One commit of the database, of which the first token waits for one (the intent in the audit log): ` +
    `median ${at(samples.commit, 0.5).toFixed(2)}, 95 % ${at(samples.commit, 0.95).toFixed(2)}`,
);
