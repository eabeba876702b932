import type { EngineOutcome } from '../../adapter.ts';

type Failed = Extract<EngineOutcome, { readonly kind: 'failed' }>;

/** Why a process was ended, or ended by itself, before its turn did. */
export type Failure = 'crashed' | 'hung' | 'protocol' | 'memory';

const SENTENCES: Readonly<Record<Failure, string>> = {
  crashed:
    "The assistant's process ended unexpectedly. Nothing that was stored is lost; send the message again or retry.",
  hung: "The assistant's process stopped reacting and was ended. Retry; if it happens again, start a new conversation.",
  protocol:
    "The assistant's process did something that it is not allowed to do and was ended. Retry, and look into the log if it happens again.",
  memory:
    "The assistant's process ran out of memory. Retry, or start a new conversation with a shorter history.",
};

export function failureOutcome(failure: Failure): Failed {
  const code = failure === 'memory' ? 'engine_out_of_memory' : `engine_${failure}`;
  return { kind: 'failed', code, message: SENTENCES[failure] };
}

/** Why it can't be started is in the log and in the engine's state: it is for who runs the machine. */
export function unavailable(): Failed {
  return {
    kind: 'failed',
    code: 'engine_unavailable',
    message:
      "The assistant's process can't be started at the moment; the log says why. It is tried again by itself: retry in a minute.",
  };
}
