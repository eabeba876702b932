import type { HistoryMessage, ToolDefinition, WireName } from '../core/index.ts';

/**
 * An engine: a process that thinks and holds nothing. It reaches a model and tools only through the two handlers
 * that it was given, with the capability of the turn.
 */
export interface EngineAdapter {
  /** Starts the first process; resolves when a turn could run. Never throws for a crash: see `state`. */
  start(): Promise<void>;
  /** Ends every process. */
  stop(): Promise<void>;
  state(): EngineState;
  /** Runs one turn to its end. Never rejects. An abort ends it within a second, a hanging process included. */
  runTurn(turn: EngineTurn): Promise<EngineOutcome>;
}

export interface EngineState {
  readonly state: 'starting' | 'ready' | 'failing' | 'stopped';
  readonly detail: string | null;
  /** Pids of the running processes, for `/health` and tests. */
  readonly pids: readonly number[];
}

export interface EngineTurn {
  readonly turnId: string;
  /** Dies with the turn; the engine shows it to the gateway and to the tools as a bearer token. */
  readonly capability: string;
  readonly model: string;
  /** What the gateway speaks with the engine in this turn; the engine takes a client of that kind. */
  readonly wire: WireName;
  readonly system: string;
  readonly history: readonly HistoryMessage[];
  readonly tools: readonly ToolDefinition[];
  /** LLM calls at most. */
  readonly maxSteps: number;
  readonly signal: AbortSignal;
}

export type EngineOutcome =
  | { readonly kind: 'finished' }
  | { readonly kind: 'stopped' }
  /** `step_limit`, `engine_crashed`, `engine_unavailable`, or the code that a handler answered with. */
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/** Answers the requests of an engine, in this process: the gateway and the MCP endpoint. */
export interface EngineHandlers {
  readonly llm: (request: Request) => Promise<Response>;
  readonly mcp: (request: Request) => Promise<Response>;
}
