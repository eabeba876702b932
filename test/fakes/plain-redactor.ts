import type { Redactor } from '../../src/core/index.ts';

/** Hides `s3cret-value` and nothing else: enough to see that a sink is redacted. */
export const plainRedactor: Redactor = {
  text: (text) => ({ value: text.replaceAll('s3cret-value', '[REDACTED:TEST]'), hidden: count(text) }),
  json: (value) => {
    const text = JSON.stringify(value) ?? 'null';
    return { value: JSON.parse(text.replaceAll('s3cret-value', '[REDACTED:TEST]')), hidden: count(text) };
  },
  stream: () => ({ push: (chunk) => chunk, end: () => '', hidden: {} }),
};

function count(text: string): Record<string, number> {
  const hits = text.split('s3cret-value').length - 1;
  return hits === 0 ? {} : { TEST: hits };
}
