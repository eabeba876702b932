export { memoryRead } from './memory-read.ts';
export { memoryWrite } from './memory-write.ts';
