export { createBuiltinEngine } from './builtin-engine.ts';
export { defaultTiming } from './options.ts';
export type { AgentProgram, BuiltinEngineDeps, EngineTiming } from './options.ts';
