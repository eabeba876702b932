export * from './budgets.ts';
export * from './limits.ts';
