export { describeConfig, type SettingLine } from './describe.ts';
export { withDotenv, type Dotenv } from './dotenv.ts';
export { readSurroundings, type Surroundings } from './env.ts';
export { loadConfig, type LoadedConfig, type LoadOptions } from './load.ts';
export { SecretText } from './secret-text.ts';
export { type EnvironmentSecrets, type SecretVariable } from './secrets.ts';
export type * from './types.ts';
