/**
 * Text that can't steer a terminal: control characters (but line breaks, where allowed) and the marks that turn the
 * direction of writing become visible.
 */
export function printable(text: string, lineBreaks: 'keep' | 'show' = 'show'): string {
  return text.replaceAll(/\p{Cc}|[\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, (character) => {
    if (character === '\n' && lineBreaks === 'keep') return character;
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}
