// Guarantees: what leaves here of an error that is a bug is "Internal error" and an id for the log.
// Does not: run, check or redact anything. The gate behind `turn.call` does.
// An attacker may control: the name and the arguments of a call, and `_meta`.
import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type CallToolResult,
  type jsonSchemaValidator,
  type Tool,
} from '@modelcontextprotocol/server';

import {
  AppError,
  errorText,
  isJsonObject,
  newId,
  type Json,
  type JsonObject,
  type Log,
} from '../../core/index.ts';
import type { McpTool, McpTurn, ToolCallAnswer } from './tool-gate.ts';

/** Where a call of the built-in agent names the call of the model that it carries out. */
const CALL_KEY = 'openpact/call';
const CODE_KEY = 'openpact/code';

/** Nothing is validated by the SDK here: arguments are the gate's, and no output schema is advertised. */
const noValidator: jsonSchemaValidator = {
  getValidator: () => (input) => ({ valid: true, data: input as never, errorMessage: undefined }),
};

/** The MCP server of one request: the tools of one turn. */
export function createTurnServer(turn: McpTurn, version: string, gone: AbortSignal, log: Log): Server {
  const server = new Server(
    { name: 'openpact', version },
    { capabilities: { tools: {} }, jsonSchemaValidator: noValidator },
  );
  server.setRequestHandler('tools/list', () =>
    guarded(log, () => ({
      tools: turn
        .tools()
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map(asListed),
    })),
  );
  server.setRequestHandler('tools/call', async (request, { mcpReq }) => {
    const { name, arguments: args = {}, _meta: meta } = request.params;
    return await guarded(log, async () => {
      if (!isJsonObject(args)) throw invalidParams('arguments is not an object.');
      if (!turn.tools().some((tool) => tool.name === name)) {
        turn.unknown(name);
        throw invalidParams(`there is no tool ${name.slice(0, 100)}.`);
      }
      const callId = meta?.[CALL_KEY];
      const answer = await turn.call({
        callId: typeof callId === 'string' ? callId : undefined,
        name,
        arguments: args,
        signal: AbortSignal.any([gone, mcpReq.signal]),
      });
      return asResult(answer);
    });
  });
  return server;
}

function asListed({ name, title, description, schema, annotations }: McpTool): Tool {
  return {
    name,
    ...(title === undefined ? {} : { title }),
    description,
    inputSchema: { ...schema, type: 'object' },
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function asResult({ text, structured, isError, code }: ToolCallAnswer): CallToolResult {
  return {
    content: [{ type: 'text', text }],
    isError,
    ...(isObject(structured) ? { structuredContent: { ...structured } } : {}),
    ...(code === undefined ? {} : { _meta: { [CODE_KEY]: code } }),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return isJsonObject(value);
}

function invalidParams(why: string): ProtocolError {
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: ${why}`);
}

/** The SDK would send the text of any error to the caller. */
async function guarded<T>(log: Log, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    // Such as a full disk: no bug, and its sentence is made to be read.
    if (error instanceof AppError) {
      log.warn('A request of an MCP client could not be carried out.', { problem: errorText(error) });
      throw new ProtocolError(ProtocolErrorCode.InternalError, error.message);
    }
    const id = newId('err');
    log.error('A request of an MCP client met a bug.', { id, error: errorText(error) });
    throw new ProtocolError(ProtocolErrorCode.InternalError, `Internal error (${id}).`);
  }
}
