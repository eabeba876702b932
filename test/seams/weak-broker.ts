/** The broker of scripts with single controls left out; what is left of it is the product's. */
import { createScriptBroker, factsOf, parseGrant } from '../../src/guard/secrets/broker/index.ts';
import type {
  OutgoingRequest,
  ScriptBroker,
  ScriptSecrets,
  Send,
  SendResult,
} from '../../src/guard/secrets/broker/index.ts';
import type { BrokerAnswer } from '../../src/sandbox/wire/index.ts';
import type { RunnerDeps } from '../../src/sandbox/runner/index.ts';

export interface BrokerControls {
  /** Off: every run has the grant in SEAM_GRANT, whatever was approved. */
  readonly grant: boolean;
  /** Off: redirects are followed with all that the first request had. */
  readonly redirects: boolean;
  /** Off: answers go back as they came. */
  readonly search: boolean;
  /** Off: a run may send as much as it likes. */
  readonly limits: boolean;
  /** Off: what a secret is and where it may go is asked once, when the run needs it first. */
  readonly fresh: boolean;
}

export function weakBroker(on: BrokerControls): NonNullable<RunnerDeps['openBroker']> {
  const grant = process.env['SEAM_GRANT'] ?? '{}';
  return (deps) => {
    const broker = createScriptBroker({
      ...deps,
      ...(on.grant ? {} : { grant: parseGrant(JSON.parse(grant)) }),
      ...(on.fresh ? {} : { secrets: asFirstSeen(deps.secrets) }),
      ...(on.limits ? {} : { limits: { ...deps.limits, requests: 1_000_000, totalBytes: 1e12 } }),
    });
    return {
      handleNow: (line, send) => broker.handleNow(line, send),
      get stopped() {
        return on.search ? broker.stopped : undefined;
      },
      handle: (line, send) => handled(broker, line, on.redirects ? send : following(send), on),
    };
  };
}

async function handled(broker: ScriptBroker, line: string, send: Send, on: BrokerControls): Promise<string> {
  let raw: SendResult | undefined;
  const reply = await broker.handle(line, async (request) => {
    raw = await send(request);
    return raw;
  });
  if (on.search || raw === undefined || 'failed' in raw) return reply;
  const answer = JSON.parse(reply) as BrokerAnswer;
  if (!('response' in answer) && !('refused' in answer && answer.refused.code === 'secret_leak'))
    return reply;
  const shown: BrokerAnswer = {
    response: {
      status: raw.status,
      headers: raw.headers.map(([name, value]) => [name.toLowerCase(), [value]]),
      body: [Buffer.from(raw.body).toString('utf8')],
    },
  };
  return JSON.stringify(shown);
}

function asFirstSeen(secrets: ScriptSecrets): ScriptSecrets {
  const values = new Map<string, string | undefined>();
  return {
    openValue(name) {
      if (!values.has(name)) values.set(name, secrets.openValue(name));
      return values.get(name);
    },
    facts(name) {
      const value = this.openValue(name);
      return value === undefined ? undefined : factsOf(value);
    },
  };
}

function following(send: Send): Send {
  return async (first) => {
    let request: OutgoingRequest = first;
    for (let hop = 0; hop < 5; hop += 1) {
      const result = await send(request);
      if ('failed' in result || result.status < 300 || result.status > 399) return result;
      const location = result.headers.find(([name]) => name.toLowerCase() === 'location')?.[1];
      if (location === undefined) return result;
      request = { ...request, url: new URL(location, request.url).href };
    }
    return { failed: 'bad_response' };
  };
}
