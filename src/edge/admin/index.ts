export type * from './api.ts';
export type { AdminOptions } from './options.ts';
export type * from './ports.ts';
export { createHealthServer } from './health-server.ts';
export { createAdminServer, type AdminServerDeps } from './server.ts';
