export { createBuiltinEngine } from './builtin-engine.ts';
export type { AgentProgram, BuiltinEngineDeps, EngineTiming } from './options.ts';
