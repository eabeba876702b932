import { StateEffect, StateField, type Extension, type Text } from '@codemirror/state';
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view';

export interface Mistake {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

class Said extends WidgetType {
  readonly words: string;

  constructor(words: string) {
    super();
    this.words = words;
  }

  override eq(other: Said): boolean {
    return other.words === this.words;
  }

  toDOM(): HTMLElement {
    const row = document.createElement('div');
    row.className = 'cm-mistake';
    row.textContent = this.words;
    return row;
  }
}

function shown(doc: Text, mistakes: readonly Mistake[]): DecorationSet {
  return Decoration.set(
    mistakes.flatMap(({ line, message }) => {
      const { from, to } = doc.line(Math.min(Math.max(1, line), doc.lines));
      return [
        Decoration.line({ class: 'cm-wrong' }).range(from),
        Decoration.widget({ widget: new Said(`Line ${line}: ${message}`), block: true, side: 1 }).range(to),
      ];
    }),
    true,
  );
}

/** Takes the place of the mistakes that are shown. */
export const setMistakes = StateEffect.define<readonly Mistake[]>();

/** Under the line in which each stands; while the text is changed they go with their lines. */
export function mistakesAt(first: readonly Mistake[]): Extension {
  return StateField.define<DecorationSet>({
    create: ({ doc }) => shown(doc, first),
    update(now, transaction) {
      let next = now.map(transaction.changes);
      for (const effect of transaction.effects)
        if (effect.is(setMistakes)) next = shown(transaction.state.doc, effect.value);
      return next;
    },
    provide: (field) => EditorView.decorations.from(field),
  });
}
