export { describeConfig } from './describe.ts';
export { withDotenv } from './dotenv.ts';
export { readSurroundings, type Surroundings } from './env.ts';
export { loadConfig, type LoadedConfig } from './load.ts';
export { SecretText } from './secret-text.ts';
export type * from './types.ts';
