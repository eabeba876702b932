export * from './budget-port.ts';
export * from './gateway.ts';
export * from './limits.ts';
export * from './ports.ts';
export { PRICES_AS_OF } from './prices.ts';
export * from './route.ts';
export * from './upstream-health.ts';
export * from './upstreams.ts';
