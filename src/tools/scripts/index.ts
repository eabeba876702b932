export { scriptExec } from './script-exec.ts';
export { scriptList } from './script-list.ts';
export { scriptReload } from './script-reload.ts';
export { scriptRun } from './script-run.ts';
export { scriptStatus } from './script-status.ts';
export { scriptWrite } from './script-write.ts';
