export { createKeptFiles, type KeptFiles } from './kept-files.ts';
