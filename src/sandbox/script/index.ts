/** What a script has around it in its process: secrets, http, sleep, and the way in and out of a run. */
export type { Broker } from './broker.ts';
export * from './outcome.ts';
export { runScript } from './run-script.ts';
