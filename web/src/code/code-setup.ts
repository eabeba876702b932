import { pythonLanguage } from '@codemirror/lang-python';
import { HighlightStyle, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { EditorState, type Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { exactMarks } from './exact-marks.ts';

/** Colours are our tokens: they go through into the shadow tree and follow the theme by themselves. */
const theme = EditorView.theme({
  '&': {
    color: 'var(--ink)',
    backgroundColor: 'var(--sunken)',
    borderRadius: '6px',
    border: '1px solid var(--line)',
    fontSize: '13px',
    maxHeight: 'var(--code-height)',
  },
  '&.cm-focused': { outline: '2px solid var(--link)', outlineOffset: '2px' },
  '.cm-scroller': {
    overflow: 'auto',
    fontFamily: 'var(--font-code)',
    fontVariantLigatures: 'none',
    lineHeight: '20px',
    scrollbarWidth: 'thin',
    scrollbarColor: 'var(--line-strong) transparent',
    borderRadius: '5px',
  },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--ink)', outline: 'none', minWidth: '0' },
  '.cm-line': { padding: '0 12px 0 8px', overflowWrap: 'anywhere' },
  '.cm-gutters': { backgroundColor: 'var(--sunken)', color: 'var(--faint)', border: 'none' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 4px 0 8px', minWidth: '28px' },
  '.cm-activeLine': { backgroundColor: 'var(--hover)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--hover)', color: 'var(--ink)' },
  '.cm-selectionMatch': { backgroundColor: 'transparent' },
  '.cm-hidden': {
    margin: '0 1px',
    padding: '0 2px',
    borderRadius: '2px',
    border: '1px solid var(--ask-line)',
    backgroundColor: 'var(--ask-soft)',
    color: 'var(--ask)',
    fontSize: '11px',
    unicodeBidi: 'isolate',
  },
  '.cm-isolate': { unicodeBidi: 'isolate' },
  '.cm-blanks': {
    backgroundImage: 'radial-gradient(circle at center, var(--faint) 1px, transparent 1.5px)',
    backgroundSize: '1ch 100%',
  },
  '.cm-wrong': { backgroundColor: 'var(--stop-soft)' },
  '.cm-mistake': {
    padding: '2px 12px 2px 8px',
    backgroundColor: 'var(--stop-soft)',
    color: 'var(--stop)',
    fontFamily: 'var(--font-words)',
    whiteSpace: 'pre-wrap',
    overflowWrap: 'anywhere',
  },
  '.cm-added': { backgroundColor: 'var(--ok-soft)' },
  '.cm-removed': { backgroundColor: 'var(--stop-soft)' },
  '.cm-added .cm-changed': {
    backgroundColor: 'color-mix(in srgb, var(--ok-line) 40%, var(--ok-soft))',
    boxShadow: 'inset 0 -1px var(--ok)',
  },
  '.cm-removed .cm-changed': {
    backgroundColor: 'color-mix(in srgb, var(--stop-line) 40%, var(--stop-soft))',
    boxShadow: 'inset 0 -1px var(--stop)',
  },
  '.cm-sign': { color: 'var(--muted)', fontWeight: '600', paddingRight: '1ch' },
  '.cm-same': { paddingLeft: 'calc(8px + 2ch)' },
  '.cm-skipped': { color: 'var(--muted)', fontFamily: 'var(--font-words)', fontSize: '12px' },
});

/** Phones zoom into a focused field whose text is smaller than 16 px. */
const touchTheme = EditorView.theme({ '@media (pointer: coarse)': { '&': { fontSize: '16px' } } });

export const codeColours = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.definitionKeyword], color: 'var(--code-keyword)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--code-number)' },
  { tag: tags.comment, color: 'var(--code-comment)', fontStyle: 'italic' },
  { tag: tags.function(tags.definition(tags.variableName)), fontWeight: '600' },
]);

/** What every view of code has: all of its lines, wrapped, with what can't be seen marked. */
export const shownExactly: Extension = [
  theme,
  exactMarks,
  // Only a line feed ends a line: a lone carriage return could hide what stands before it.
  EditorState.lineSeparator.of('\n'),
  // What stands far to the right is seen without scrolling there.
  EditorView.lineWrapping,
];

/** Starlark is close enough to Python for its colours. */
export const asStarlark: Extension = [
  pythonLanguage,
  indentUnit.of('    '),
  EditorState.tabSize.of(4),
  syntaxHighlighting(codeColours),
];

/** It can be read, scrolled and copied, not changed; the keyboard reaches it. */
export function readOnly(label: string, testId: string): Extension {
  return [
    EditorState.readOnly.of(true),
    EditorView.editable.of(false),
    EditorView.contentAttributes.of({
      tabindex: '0',
      'aria-label': label,
      'aria-readonly': 'true',
      'data-testid': testId,
      dir: 'ltr',
    }),
  ];
}

export function writable(label: string, testId: string): Extension {
  return [
    touchTheme,
    EditorView.contentAttributes.of({
      'aria-label': label,
      'data-testid': testId,
      dir: 'ltr',
      autocapitalize: 'off',
      autocorrect: 'off',
      spellcheck: 'false',
    }),
  ];
}
