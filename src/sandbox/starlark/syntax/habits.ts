/** What models write by habit from Python and other languages, and how Starlark says it. */

const RESERVED = new Set([
  'as',
  'async',
  'await',
  'class',
  'del',
  'except',
  'finally',
  'from',
  'global',
  'import',
  'is',
  'nonlocal',
  'raise',
  'try',
  'with',
  'yield',
]);

/** Whether a word can't be a name although it means nothing. */
export function isReserved(word: string): boolean {
  return RESERVED.has(word);
}

const KEYWORD_HINTS: ReadonlyMap<string, string> = new Map([
  ['as', ''],
  ['async', 'calls simply wait for their result'],
  ['await', 'calls simply wait for their result'],
  ['class', 'use functions and dicts'],
  ['del', 'use d.pop(key) or x.pop(i)'],
  ['except', 'errors end the script: test before you call'],
  ['finally', 'errors end the script'],
  ['from', 'modules such as json, time and http are there without import'],
  ['global', 'functions cannot assign globals: return the value, or change a list or dict'],
  ['import', 'modules such as json, time and http are there without import'],
  ['is', 'use == and !='],
  ['nonlocal', 'change a list or dict of the outer function instead'],
  ['raise', 'use fail("message")'],
  ['try', 'there is no try: test before you call, or end the script with fail("message")'],
  ['with', 'there are no context managers'],
  ['yield', 'build a list and return it'],
]);

/** The message for a reserved word. */
export function reservedMessage(word: string): string {
  const hint = KEYWORD_HINTS.get(word) ?? '';
  return `'${word}' is a reserved word that Starlark does not support${hint === '' ? '' : `: ${hint}`}`;
}

export const ASSERT_MESSAGE = "there is no assert statement: use: if not condition: fail('message')";
export const WHILE_MESSAGE = "'while' is not supported: use for i in range(n), with break when done";
export const FSTRING_MESSAGE = 'f-strings are not supported: use "{} {}".format(a, b) or "%s %s" % (a, b)';
export const POWER_MESSAGE = "'**' is not an operator: multiply (x * x), or use 1 << n for powers of two";
export const CHAIN_MESSAGE = 'comparisons cannot be chained: write a < b and b < c';
export const STAR_TARGET_MESSAGE =
  'star-unpacking in assignments is not supported: use first = x[0] and rest = x[1:]';
export const STAR_DISPLAY_MESSAGE =
  'star-unpacking in lists and tuples is not supported: use a + b, or list(x)';
export const DICT_STAR_MESSAGE = 'unpacking in dicts is not supported: use a | b, or d.update(other)';
export const WALRUS_MESSAGE = "':=' is not supported: assign in a statement of its own";
export const ANNOTATION_MESSAGE = 'type annotations are not supported: leave them out';
export const CONCAT_MESSAGE = 'strings side by side are not joined: use +';
const DECORATOR_MESSAGE = 'decorators are not supported: call the function on the other one';
export const SLICE_TARGET_MESSAGE = 'slices cannot be assigned: build a new list, as in x[:i] + new + x[j:]';
export const SET_DISPLAY_MESSAGE = 'set displays are not supported: use set([a, b])';
export const LOOP_ELSE_MESSAGE = "'else' after a loop is not supported: set a variable before break";
export const TOP_RETURN_MESSAGE =
  'return statement not within a function (at top level, assign to result instead)';

const CHARACTER_HINTS: ReadonlyMap<string, string> = new Map([
  ['!', "use 'not x'"],
  ['?', "use 'a if test else b'"],
  ['@', DECORATOR_MESSAGE],
  ['$', 'use "%s" % x'],
  ['`', 'use "..." for strings'],
]);

/** A hint for a character that begins no token, or undefined. */
export function characterHint(char: string): string | undefined {
  return CHARACTER_HINTS.get(char);
}

const NAME_HINTS: ReadonlyMap<string, string> = new Map([
  ['sum', 'write a loop: total = 0, then for x in xs: total += x'],
  ['round', 'use int(x + 0.5) for positive x, or format("%.2f", x) for text'],
  ['pow', 'multiply in a loop'],
  ['divmod', 'use x // y and x % y'],
  ['map', 'use [f(x) for x in xs]'],
  ['filter', 'use [x for x in xs if test(x)]'],
  ['isinstance', 'use type(x) == "string"'],
  ['issubclass', 'there are no classes'],
  ['callable', 'use type(x) == "function"'],
  ['iter', 'loop over the value itself'],
  ['next', 'use x[0], or a loop with break'],
  ['open', 'scripts cannot read files'],
  ['input', 'scripts cannot ask: take a parameter of main'],
  ['eval', 'there is no eval'],
  ['exec', 'there is no exec'],
  ['globals', 'there is no access to the variables as a dict'],
  ['locals', 'there is no access to the variables as a dict'],
  ['vars', 'use dir(x) and getattr(x, name)'],
  ['setattr', 'use a dict'],
  ['delattr', 'use a dict'],
  ['frozenset', 'use a tuple or set(x)'],
  ['bytearray', 'use bytes(x)'],
  ['hex', 'use "%x" % n'],
  ['oct', 'use "%o" % n'],
  ['bin', 'divide by two in a loop'],
  ['slice', 'use x[a:b]'],
  ['object', 'use a dict'],
  ['Exception', 'use fail("message")'],
  ['ValueError', 'use fail("message")'],
  ['math', 'there is no math module: use the operators, abs, min and max'],
  ['re', 'there are no regular expressions: use find, split, startswith and the like'],
  ['random', 'scripts are deterministic: there is no random'],
  ['datetime', 'use the module time'],
  ['os', 'scripts have no operating system'],
  ['sys', 'scripts have no system'],
  ['requests', 'use the module http, where it is granted'],
  ['true', 'use True'],
  ['false', 'use False'],
  ['null', 'use None'],
  ['nil', 'use None'],
  ['undefined', 'use None'],
  ['assert', 'use: if not condition: fail("message")'],
  ['self', 'there are no classes'],
]);

/** A hint for a name that is not defined, or undefined. */
export function nameHint(name: string): string | undefined {
  return NAME_HINTS.get(name);
}
