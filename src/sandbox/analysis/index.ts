export { analyseScript } from './analyse-script.ts';
