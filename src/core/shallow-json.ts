// Guarantees: a line that passed can be parsed without more memory and time than its length promises.
// Does not: say whether it is JSON.
// An attacker may control: every character.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Whether brackets are at most `most` deep. Millions of open brackets take a parser seconds and hundreds of megabytes. */
export function isShallow(line: string, most: number): boolean {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < line.length; i += 1) {
    const unit = line.charCodeAt(i);
    if (inText) {
      if (unit === BACKSLASH) i += 1;
      else if (unit === QUOTE) inText = false;
    } else if (unit === QUOTE) inText = true;
    else if (unit === OPEN_ARRAY || unit === OPEN_OBJECT) {
      depth += 1;
      if (depth > most) return false;
    } else if (unit === CLOSE_ARRAY || unit === CLOSE_OBJECT) depth -= 1;
  }
  return true;
}
