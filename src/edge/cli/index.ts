export { askedToStop } from './asked-to-stop.ts';
export { startBanner, wantsColor, type BannerFacts } from './banner.ts';
export { createControlServer, type ControlServer, type ControlServerDeps } from './control-server.ts';
export * from './ports.ts';
export { runCli, type CliDeps } from './run-cli.ts';
