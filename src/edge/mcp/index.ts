export { createMcpHandler } from './mcp-handler.ts';
export type { McpCall, McpTool, McpTurn, ToolCallAnswer, ToolGate } from './tool-gate.ts';
