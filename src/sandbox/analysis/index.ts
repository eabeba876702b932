export { analyseScript, type ScriptAnalysis } from './analyse-script.ts';
