/** The one door to the server's types. Nothing of the server's code is bundled: these are types only. */
export type * from '../../../src/edge/admin/api.ts';
