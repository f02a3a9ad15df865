import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { HighlightStyle, bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { lintKeymap } from '@codemirror/lint'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, Prec, type Extension } from '@codemirror/state'
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, tooltips } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { graphql } from 'cm6-graphql'
import type { GraphQLSchema } from 'graphql'
import { hover } from './hover'
import { serverErrors } from './marks'

/** Colours come from the page's own properties, so that both themes are one style sheet. */
const look = EditorView.theme({
  '&': { height: '100%', fontSize: '13px', color: 'var(--ink)', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', overflow: 'auto' },
  '.cm-content': { padding: '8px 0', caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)', borderLeftWidth: '2px' },
  '.cm-gutters': { color: 'var(--muted)', backgroundColor: 'transparent', border: 'none', fontSize: '12px' },
  '.cm-lineNumbers .cm-gutterElement': { padding: '0 4px 0 12px', minWidth: '32px' },
  '.cm-foldGutter .cm-gutterElement': { width: '16px', textAlign: 'center', cursor: 'pointer' },
  '.cm-foldPlaceholder': { padding: '0 4px', border: '1px solid var(--line)', backgroundColor: 'var(--tint)', color: 'var(--muted)' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter': { backgroundColor: 'color-mix(in srgb, var(--tint) 55%, transparent)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': { backgroundColor: 'var(--selection)' },
  '.cm-selectionMatch': { backgroundColor: 'var(--tint)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--selection)', outline: 'none' },
  '&.cm-focused .cm-nonmatchingBracket': { color: 'var(--bad)', backgroundColor: 'transparent' },
  '.cm-lintRange': { backgroundImage: 'none', paddingBottom: '0' },
  '.cm-lintRange-error': { textDecoration: 'underline wavy var(--bad) 1px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning, .cm-lintRange-info': { textDecoration: 'underline wavy var(--warn) 1px', textUnderlineOffset: '3px' },
  '.cm-failed': { backgroundColor: 'color-mix(in srgb, var(--bad) 12%, transparent)' },
  '.cm-tooltip': {
    border: '1px solid var(--control)',
    borderRadius: '8px',
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    overflow: 'hidden',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '16em', minWidth: '240px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px', lineHeight: '20px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { backgroundColor: 'var(--selection)', color: 'var(--ink)' },
  '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
  '.cm-tooltip-autocomplete li[aria-selected] .cm-completionDetail': { color: 'inherit' },
  '.cm-completionDetail': { color: 'var(--muted)', fontStyle: 'normal', marginLeft: '12px' },
  '.cm-tooltip.cm-completionInfo': { padding: '8px 12px', maxWidth: '360px', fontFamily: 'var(--text)', lineHeight: '20px', whiteSpace: 'normal' },
  '.cm-hover': { padding: '8px 12px', maxWidth: '440px', fontFamily: 'var(--text)', lineHeight: '20px' },
  '.cm-hover code': { fontFamily: 'var(--mono)', overflowWrap: 'anywhere' },
  '.cm-hover p': { margin: '4px 0 0' },
  '.cm-diagnostic': { padding: '6px 12px', fontFamily: 'var(--text)', lineHeight: '20px', whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeft: '3px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '3px solid var(--warn)' },
  '.cm-panels': { backgroundColor: 'var(--page)', color: 'var(--ink)' },
  '.cm-panels.cm-panels-bottom': { borderTop: '1px solid var(--line)' },
  '.cm-panel.cm-search': { padding: '8px 28px 8px 8px', fontFamily: 'var(--text)' },
  '.cm-panel.cm-search label': { fontSize: '13px' },
  '.cm-panel [name=close]': { width: '24px', height: '24px', color: 'var(--ink)' },
  '.cm-panel.cm-panel-lint ul [aria-selected], .cm-panel.cm-panel-lint ul:focus [aria-selected]': { backgroundColor: 'var(--selection)', color: 'var(--ink)' },
  '.cm-textfield': { minHeight: '28px', border: '1px solid var(--control)', borderRadius: '8px', backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '13px' },
  '.cm-button': { minHeight: '28px', border: '1px solid var(--control)', borderRadius: '8px', backgroundImage: 'none', backgroundColor: 'var(--surface)', color: 'var(--ink)', fontSize: '13px' },
  '.cm-textfield:focus-visible, .cm-button:focus-visible, [name=close]:focus-visible': { outline: '2px solid var(--accent)', outlineOffset: '1px' },
  '.cm-searchMatch': { backgroundColor: 'var(--tint)', outline: '1px solid var(--control)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--selection)' },
})

const colours = syntaxHighlighting(
  HighlightStyle.define([
    { tag: [tags.keyword, tags.definitionKeyword, tags.modifier], color: 'var(--upstream)' },
    { tag: [tags.propertyName, tags.name, tags.atom], color: 'var(--ink)' },
    { tag: tags.attributeName, color: 'var(--muted)' },
    { tag: tags.variableName, color: 'var(--accent)' },
    { tag: tags.string, color: 'var(--good)' },
    { tag: [tags.number, tags.integer, tags.float, tags.bool, tags.null, tags.special(tags.name)], color: 'var(--downstream)' },
    { tag: [tags.comment, tags.lineComment], color: 'var(--muted)' },
    { tag: [tags.punctuation, tags.paren, tags.brace, tags.separator], color: 'var(--muted)' },
  ]),
)

// Chromium writes an inline style when text is typed over a selection, to keep its look; the page's policy forbids that, so the editor does it itself.
const typeOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main
    const insert = event.data
    if (event.inputType !== 'insertText' || empty || insert === null || view.composing || view.state.readOnly) return false
    const make = () => view.state.update(view.state.replaceSelection(insert), { userEvent: 'input.type', scrollIntoView: true })
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, insert, make))) view.dispatch(make())
    return true
  },
})

const base: Extension = [
  look,
  colours,
  lineNumbers(),
  foldGutter({ openText: '▾', closedText: '▸' }),
  codeFolding(),
  drawSelection(),
  bracketMatching(),
  highlightSelectionMatches(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  search(),
  tooltips({ position: 'fixed' }),
  keymap.of([...searchKeymap, ...foldKeymap, ...defaultKeymap]),
]

const writing: Extension = [
  typeOver,
  history(),
  indentUnit.of('  '),
  indentOnInput(),
  closeBrackets(),
  autocompletion({ icons: false, maxRenderedOptions: 60 }),
  Prec.high(keymap.of([{ key: 'Tab', run: acceptCompletion }])),
  keymap.of([...closeBracketsKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap, indentWithTab]),
]

/** The editor of operations. The schema arrives later, by cm6-graphql's updateSchema. */
export function operationEditor(showInDocs: (type: string | undefined, field: string | undefined) => void, schema?: GraphQLSchema): Extension {
  return [
    base,
    writing,
    graphql(schema, { onShowInDocs: (field, type, parent) => showInDocs(field ? parent : type, field) }),
    hover,
    serverErrors,
  ]
}

/** The editor of variables. */
export function variablesEditor(checks: Extension): Extension {
  return [base, writing, json(), checks]
}

/** The response: read, folded, searched and copied, not written. A phone shows no keyboard for it. */
export function responseViewer(): Extension {
  return [base, json(), EditorState.readOnly.of(true), EditorView.contentAttributes.of({ inputmode: 'none' })]
}
