/** The running program on a native wire, with a server of a test as its provider. */
import { MODEL_KEY } from './with-fake-model.ts';
import type { RunningProgram } from './running-program.ts';

export async function useProvider(
  program: RunningProgram,
  provider: 'azure' | 'google',
  url: string,
  model: string,
): Promise<void> {
  for (const [path, body] of [
    [`/api/llm/upstreams/${provider}`, { base_url: url, enabled: true, api_key: MODEL_KEY }],
    ['/api/models/default', { provider, model }],
  ] as const) {
    const { status, body: answer } = await program.api('PUT', path, body);
    if (status !== 200) throw new Error(`${path} was refused: ${JSON.stringify(answer)}`);
  }
}
