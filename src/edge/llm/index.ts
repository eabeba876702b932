export * from './gateway.ts';
export * from './limits.ts';
export * from './ports.ts';
export * from './route.ts';
export * from './upstreams.ts';
