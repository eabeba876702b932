import type { Redactor } from '../../src/core/index.ts';

const SECRET = 's3cret-value';
const MARKER = '[REDACTED:TEST]';

/** Hides `s3cret-value` and nothing else: enough to see that a sink is redacted. */
export const plainRedactor: Redactor = {
  text: (text) => ({ value: text.replaceAll(SECRET, MARKER), hidden: count(text) }),
  json: (value) => {
    const text = JSON.stringify(value) ?? 'null';
    return { value: JSON.parse(text.replaceAll(SECRET, MARKER)), hidden: count(text) };
  },
  stream: () => {
    let held = '';
    return {
      push(chunk) {
        const text = (held + chunk).replaceAll(SECRET, MARKER);
        held = text.slice(Math.max(0, text.length - SECRET.length + 1));
        return text.slice(0, text.length - held.length);
      },
      end: () => held,
      hidden: {},
    };
  },
};

function count(text: string): Record<string, number> {
  const hits = text.split(SECRET).length - 1;
  return hits === 0 ? {} : { TEST: hits };
}
