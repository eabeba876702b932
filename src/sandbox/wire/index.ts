/** What both ends of the pipe between a script's process and the broker know. Imports nothing. */
export * from './messages.ts';
export * from './rope.ts';
export * from './exact-json.ts';
export * from './run-frames.ts';
