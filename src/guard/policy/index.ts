export * from './default-rules.ts';
export * from './policy.ts';
