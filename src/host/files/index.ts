export { createFileChild, type FileChild, type FileChildDeps } from './file-child.ts';
export { createPrivateFile, type PrivateFile } from './private-file.ts';
