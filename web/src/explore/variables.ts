import type { CompletionContext, CompletionResult } from '@codemirror/autocomplete'
import { jsonLanguage, jsonParseLinter } from '@codemirror/lang-json'
import { syntaxTree } from '@codemirror/language'
import { forceLinting, linter, type Diagnostic } from '@codemirror/lint'
import type { EditorState, Extension } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import { getVariableValues, print, type GraphQLSchema, type OperationDefinitionNode } from 'graphql'

/** What the variables are for. */
export interface Target {
  operation: OperationDefinitionNode | undefined
  schema: GraphQLSchema | undefined
}

/** Completion and diagnostics for the variables of the operation that would run. */
export function variableChecks(target: () => Target): Extension {
  return [
    linter((view) => problems(view.state, target()), { delay: 400 }),
    jsonLanguage.data.of({ autocomplete: (context: CompletionContext) => names(context, target().operation) }),
  ]
}

/** Looks anew, after the operation changed. */
export function recheck(view: EditorView): void {
  forceLinting(view)
}

/** The variables as an object; undefined where the text is none. Nothing at all is no variables. */
export function parseVariables(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

const syntax = jsonParseLinter()

function problems(state: EditorState, { operation, schema }: Target): Diagnostic[] {
  const text = state.doc.toString()
  const values = parseVariables(text)
  if (text.trim() === '') return []
  if (!values) {
    try {
      JSON.parse(text)
    } catch {
      return syntax({ state } as EditorView)
    }
    return [{ from: 0, to: text.length, severity: 'error', message: 'Variables are one object: { "name": value }.' }]
  }
  if (!operation) return []
  const known = new Set((operation.variableDefinitions ?? []).map((v) => v.variable.name.value))
  const found: Diagnostic[] = Object.keys(values)
    .filter((name) => !known.has(name))
    .map((name) => ({ ...property(state, name), severity: 'warning', message: `The operation has no variable $${name}.` }))
  if (!schema) return found
  const { errors = [] } = getVariableValues(schema, operation.variableDefinitions ?? [], values, { maxErrors: 20 })
  for (const error of errors) {
    const name = /^Variable "\$(\w+)"/.exec(error.message)?.[1] ?? ''
    found.push({ ...property(state, name), severity: 'error', message: error.message })
  }
  return found
}

/** Where a variable's value stands; the closing brace where it is missing. */
function property(state: EditorState, name: string): { from: number; to: number } {
  const object = syntaxTree(state).topNode.getChild('Object')
  for (const node of object?.getChildren('Property') ?? []) {
    const key = node.getChild('PropertyName')
    if (key && state.sliceDoc(key.from, key.to) === JSON.stringify(name)) return { from: key.from, to: node.to }
  }
  const end = object?.to ?? state.doc.length
  return { from: Math.max(0, end - 1), to: end }
}

function names(context: CompletionContext, operation: OperationDefinitionNode | undefined): CompletionResult | null {
  const node = syntaxTree(context.state).resolveInner(context.pos, -1)
  const word = context.matchBefore(/"?\w*/)
  const place = node.name === 'Property' ? node.parent : node.name === 'PropertyName' ? node.parent?.parent : node
  if (!word || (word.from === word.to && !context.explicit) || place?.name !== 'Object' || place.parent?.name !== 'JsonText') return null
  const closed = context.state.sliceDoc(context.pos, context.pos + 1) === '"'
  return {
    from: word.from,
    to: context.pos + (closed ? 1 : 0),
    validFor: /^"?\w*$/,
    options: (operation?.variableDefinitions ?? []).map((v) => ({
      label: `"${v.variable.name.value}"`,
      detail: print(v.type),
      apply: `"${v.variable.name.value}": `,
    })),
  }
}
