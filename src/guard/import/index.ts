/** The data of the original (Go): read, planned, taken over. */
export { applyImport } from './apply.ts';
export { planImport, type ImportPlan, type Present } from './plan.ts';
export { readOriginal, type Original } from './read-original.ts';
