import { StateEffect, StateField, type Range } from '@codemirror/state'
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view'

const failed = Decoration.mark({ class: 'cm-failed' })

/** Sets the places in the operation that the last answer's errors stand for. */
export const markFailed = StateEffect.define<{ from: number; to: number }[]>()

/** Marks them until the text changes. */
export const serverErrors = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = transaction.docChanged ? Decoration.none : marks
    for (const effect of transaction.effects) {
      if (!effect.is(markFailed)) continue
      const ranges: Range<Decoration>[] = effect.value.filter((r) => r.from < r.to && r.to <= transaction.newDoc.length).map((r) => failed.range(r.from, r.to))
      next = Decoration.set(ranges, true)
    }
    return next
  },
  provide: (field) => EditorView.decorations.from(field),
})
