/** One run for an author: the launcher, the process, the broker as they are, and a network that is a table. */
import type { ScriptTestReport, ScriptTestRequest } from '../edge/cli/index.ts';
import type { BrokerNotice, RequestRecord } from '../guard/secrets/broker/index.ts';
import { createLauncher, type FenceReport } from '../host/process/index.ts';
import { createScriptRunner, digestOf, RUN_LIMITS } from '../sandbox/runner/index.ts';
import type { Layout } from './layout.ts';

/**
 * Where this machine has no fences the script runs without: it is the author's own, has no network and no real secret,
 * and the report says what is missing.
 */
export async function testScript(
  request: ScriptTestRequest,
  layout: Pick<Layout, 'processAssets' | 'scriptWorker'>,
): Promise<ScriptTestReport> {
  const { name, source, entry, args, kwargs, grant, secrets, send, now } = request;
  const notices: BrokerNotice[] = [];
  const requests: RequestRecord[] = [];
  const runner = createScriptRunner({
    launcher: createLauncher({ assets: layout.processAssets }),
    program: layout.scriptWorker,
    // What stands is in the fence report of the run.
    isolation: { level: 0, missing: [] },
    allowUnsandboxed: true,
  });
  try {
    const outcome = await runner.runScript(
      { digest: digestOf(source), name, source, entry, args, kwargs, grant, now },
      {
        secrets,
        send: async (outgoing) => send(outgoing),
        watcher: { notice: (notice) => notices.push(notice), request: (record) => requests.push(record) },
      },
    );
    const { value, error, logs, claimed, durationMs, fence } = outcome;
    return {
      value,
      error,
      logs,
      requests,
      notices: [...missingFences(fence), ...notices],
      limits: {
        most: RUN_LIMITS_BY_NAME,
        used: {
          steps: claimed?.steps ?? null,
          memory_bytes: claimed?.memory ?? null,
          requests: requests.filter(({ refused }) => refused === undefined).length,
          print_characters: logs.reduce((sum, line) => sum + line.length + 1, 0),
        },
      },
      duration_ms: Math.round(durationMs),
    };
  } finally {
    await runner.close();
  }
}

function missingFences(fence: FenceReport | null): ScriptTestReport['notices'] {
  if (fence === null) return [];
  return fence.notes.map((what) => ({ event: 'fence_missing' as const, what }));
}

const RUN_LIMITS_BY_NAME: ScriptTestReport['limits']['most'] = {
  time_ms: RUN_LIMITS.time,
  steps: RUN_LIMITS.steps,
  memory_bytes: RUN_LIMITS.memory,
  source_characters: RUN_LIMITS.source,
  argument_characters: RUN_LIMITS.args,
  result_characters: RUN_LIMITS.result,
  result_depth: RUN_LIMITS.resultDepth,
  print_characters: RUN_LIMITS.print,
  sleep_ms: RUN_LIMITS.sleep,
  requests: RUN_LIMITS.requests,
  request_ms: RUN_LIMITS.timeoutMs,
  response_bytes: RUN_LIMITS.responseBytes,
  responses_bytes: RUN_LIMITS.totalBytes,
};
