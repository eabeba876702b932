export * from './call.ts';
export * from './gate.ts';
