export * from './audit-store.ts';
export * from './database.ts';
export * from './settings-store.ts';
