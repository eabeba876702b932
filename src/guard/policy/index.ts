export * from './default-rules.ts';
export * from './owner-rules.ts';
export * from './policy-editor.ts';
export * from './policy.ts';
