export { askedToStop } from './asked-to-stop.ts';
export { startBanner, wantsColor } from './banner.ts';
export { createControlServer } from './control-server.ts';
export * from './ports.ts';
export { runCli } from './run-cli.ts';
export type * from './script-test-ports.ts';
