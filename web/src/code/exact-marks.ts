// Guarantees: in every view that uses this, a character that would not be seen, or that would reorder what is seen,
// stands there as its code point (U+202E); writing from right to left stays within its own run; blanks at the end of a
// line are visible. A carriage return is such a character, not the end of a line (`lineSeparator` in `code-setup.ts`).
// Does not: tell letters of different scripts apart that look alike.
// An attacker may control: the whole text (a model wrote it).
import type { Extension } from '@codemirror/state';
import {
  Decoration,
  Direction,
  EditorView,
  MatchDecorator,
  ViewPlugin,
  WidgetType,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view';
import { codePoint, HIDDEN } from '../ui/hidden-characters.ts';

class HiddenCharacter extends WidgetType {
  readonly name: string;

  constructor(char: string) {
    super();
    this.name = codePoint(char);
  }

  override eq(other: HiddenCharacter): boolean {
    return other.name === this.name;
  }

  toDOM(): HTMLElement {
    const mark = document.createElement('span');
    mark.className = 'cm-hidden';
    mark.title = 'A character that would not be visible';
    mark.textContent = this.name;
    return mark;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

const hidden = new MatchDecorator({
  regexp: new RegExp(`(?!\t)${HIDDEN.source}`, 'gu'),
  decoration: (match) => Decoration.replace({ widget: new HiddenCharacter(match[0]) }),
});
const blanks = new MatchDecorator({
  regexp: / +$/g,
  decoration: Decoration.mark({ class: 'cm-blanks' }),
});
/** Hebrew, Arabic and the other scripts of the blocks that Unicode keeps for writing from right to left. */
const rightToLeft = new MatchDecorator({
  regexp: /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]+/gu,
  decoration: Decoration.mark({ class: 'cm-isolate', bidiIsolate: Direction.RTL }),
});

function marks(matcher: MatchDecorator, provide?: (get: (view: EditorView) => DecorationSet) => Extension) {
  const plugin = ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = matcher.createDeco(view);
      }

      update(update: ViewUpdate): void {
        this.decorations = matcher.updateDeco(update, this.decorations);
      }
    },
    {
      decorations: ({ decorations }) => decorations,
      ...(provide === undefined
        ? {}
        : {
            provide: (self) => provide((view) => view.plugin(self)?.decorations ?? Decoration.none),
          }),
    },
  );
  return plugin;
}

export const exactMarks: Extension = [
  marks(hidden, (get) => EditorView.atomicRanges.of(get)),
  marks(blanks),
  marks(rightToLeft, (get) => EditorView.bidiIsolatedRanges.of(get)),
];
