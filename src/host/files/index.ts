export { createFileChild, type FileChild, type FileChildDeps } from './file-child.ts';
export { createPrivateFile } from './private-file.ts';
export { MAX_FILE_BYTES } from './protocol.ts';
