/** Rule S-66: 16 characters, or 12 with three of the four classes. The server decides; this only shows the way there. */
export interface PasswordState {
  readonly length: number;
  readonly classes: readonly { readonly name: string; readonly met: boolean }[];
  readonly ok: boolean;
  /** What is still missing, as a sentence. */
  readonly next: string;
}

export function passwordState(password: string): PasswordState {
  const length = Array.from(password).length;
  const classes = [
    { name: 'lower case', met: /\p{Ll}/u.test(password) },
    { name: 'upper case', met: /\p{Lu}/u.test(password) },
    { name: 'digit', met: /\p{Nd}/u.test(password) },
    { name: 'symbol', met: /[^\p{Lu}\p{Ll}\p{Nd}]/u.test(password) },
  ];
  const met = classes.filter((each) => each.met).length;
  const ok = length >= 16 || (length >= 12 && met >= 3);
  const next = ok
    ? 'Long enough.'
    : length === 0
      ? 'At least 16 characters, or 12 with three of: lower case, upper case, digit, symbol.'
      : length < 12
        ? `${12 - length} more to reach 12, or ${16 - length} more to need nothing else.`
        : `Add ${3 - met === 1 ? 'one more kind' : 'two more kinds'} (${classes
            .filter((each) => !each.met)
            .map((each) => each.name)
            .join(', ')}), or ${16 - length} more ${16 - length === 1 ? 'character' : 'characters'}.`;
  return { length, classes, ok, next };
}
