/** The data of the original (Go): read, planned, taken over. */
export { applyImport } from './apply.ts';
export { planImport, type ImportItem, type ImportPlan, type Present } from './plan.ts';
export type { OriginalFolder } from './original-folder.ts';
export { readOriginal, type Original } from './read-original.ts';
