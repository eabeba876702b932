export * from './audit.ts';
export * from './audit-export.ts';
export * from './chain-watch.ts';
export { newestRows } from './newest-rows.ts';
export { headMac, rowHash, START } from './row-hash.ts';
export { verifyChain, type AuditVerdict } from './verify-chain.ts';
