/** Scripts: every version, the one approval of each, and what runs under it. */
export { readCannedHttp } from './canned-http.ts';
export { createScriptDecisions, type DecisionDeps, type ScriptDecisions } from './decisions.ts';
export { dismissOffer } from './dismiss-offer.ts';
export { createScriptLibrary, type LibraryDeps, type ScriptLibrary, type ScriptOptions } from './library.ts';
export { MOST_QUOTAS, USUAL_QUOTAS } from './grants.ts';
export { unifiedDiff } from './line-diff.ts';
export { powerOf } from './power.ts';
export type * from './ports.ts';
export type { RunsDeps, ScriptRuns } from './run-ports.ts';
export { createScriptRuns, KEEP_RUNS } from './runs.ts';
export { createScriptPowers } from './script-powers.ts';
export { scriptNews } from './script-news.ts';
export { requireScriptName, scriptName } from './script-name.ts';
export type { ScriptState } from './state.ts';
export { testScript, type TestAsk } from './test-runs.ts';
export { takeBackUnpinned } from './unpinned.ts';
export { watchScripts } from './watched-files.ts';
