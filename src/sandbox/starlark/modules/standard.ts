/** The pure modules of the dialect, together. */
import type { Value } from '../values/objects.ts';
import { BASE64_MODULE, HASHING_MODULE } from './encodings.ts';
import { JSON_MODULE } from './json.ts';
import { createTimeModule } from './time.ts';
import { URL_MODULE } from './url.ts';

/** `json`, `time`, `base64`, `hashing` and `url`, for a run that begins at `now` (milliseconds since 1970). */
export function standardModules(now: number): Map<string, Value> {
  return new Map<string, Value>([
    ['json', JSON_MODULE],
    ['time', createTimeModule(now)],
    ['base64', BASE64_MODULE],
    ['hashing', HASHING_MODULE],
    ['url', URL_MODULE],
  ]);
}
