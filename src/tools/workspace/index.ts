export { workspaceList } from './workspace-list.ts';
export { workspaceRead } from './workspace-read.ts';
export { workspaceWrite } from './workspace-write.ts';
