export type * from './api.ts';
export { PERSONALITIES } from './api.ts';
export type { AdminLimits, AdminOptions } from './options.ts';
export type * from './ports.ts';
export { createAdminServer, type AdminServer, type AdminServerDeps } from './server.ts';
