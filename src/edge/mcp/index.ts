export { createMcpHandler, type McpHandler, type McpHandlerDeps } from './mcp-handler.ts';
export type { McpAnnotations, McpCall, McpTool, McpTurn, ToolCallAnswer, ToolGate } from './tool-gate.ts';
