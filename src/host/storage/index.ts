export * from './approval-store.ts';
export * from './audit-store.ts';
export * from './conversation-store.ts';
export * from './database.ts';
export * from './event-store.ts';
export * from './settings-store.ts';
export * from './tool-call-store.ts';
export * from './turn-store.ts';
