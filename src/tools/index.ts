import type { AnyTool } from '../core/index.ts';
import { memoryRead, memoryWrite } from './memory/index.ts';
import {
  scriptExec,
  scriptList,
  scriptReload,
  scriptRun,
  scriptStatus,
  scriptWrite,
} from './scripts/index.ts';
import { workspaceList, workspaceRead, workspaceWrite } from './workspace/index.ts';

/** Everything that the assistant can ask for, sorted by name. Names are unique. */
export function createTools(): readonly AnyTool[] {
  const tools: AnyTool[] = [
    memoryRead,
    memoryWrite,
    scriptExec,
    scriptList,
    scriptReload,
    scriptRun,
    scriptStatus,
    scriptWrite,
    workspaceList,
    workspaceRead,
    workspaceWrite,
  ];
  return tools.sort((left, right) => (left.name < right.name ? -1 : 1));
}
