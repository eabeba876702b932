import { KEY_NAMES } from './keys.ts';
import type { LoadedConfig } from './load.ts';
import { SECRET_VARIABLES, type SecretVariable } from './secrets.ts';

export interface SettingLine {
  readonly key: string;
  readonly value: string;
  readonly source: 'flag' | 'env' | 'file' | 'default';
  readonly from: string | null;
}

/** What `config show` prints: every key with its source; of a secret only whether it is set (S-74). */
export function describeConfig(loaded: LoadedConfig): readonly SettingLine[] {
  const settings = KEY_NAMES.flatMap((key): SettingLine[] => {
    const origin = loaded.origins.get(key);
    if (origin === undefined) return [];
    const { source, from, shown } = origin;
    return [{ key, value: typeof shown === 'string' ? shown : JSON.stringify(shown), source, from }];
  });
  const line = (key: string, from: string | undefined): SettingLine => ({
    key,
    value: from === undefined ? 'not set' : 'set',
    source: from === undefined ? 'default' : 'env',
    from: from ?? null,
  });
  const variables = Object.keys(SECRET_VARIABLES) as SecretVariable[];
  return [
    ...settings,
    ...variables.map((name) => line(name, loaded.secrets.source(name))),
    ...[...loaded.secrets.named.keys()].map((name) =>
      line(`OPENPACT_SECRET_${name}`, `OPENPACT_SECRET_${name}`),
    ),
  ];
}
