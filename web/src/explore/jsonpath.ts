import { ensureSyntaxTree } from '@codemirror/language'
import type { EditorState } from '@codemirror/state'
import type { SyntaxNode } from '@lezer/common'

const values = new Set(['True', 'False', 'Null', 'Number', 'String', 'Object', 'Array'])

/** Where the value at a path of the response's data stands in its text; the nearest one above where a null cut the path off. */
export function placeOf(state: EditorState, path: (string | number)[]): { from: number; to: number } | undefined {
  let node = ensureSyntaxTree(state, state.doc.length, 1000)?.topNode.firstChild ?? null
  for (const key of ['data', ...path]) {
    const next: SyntaxNode | null = node && (typeof key === 'number' ? element(node, key) : member(state, node, key))
    if (!next) break
    node = next
  }
  return node ? { from: node.from, to: node.to } : undefined
}

function element(array: SyntaxNode, index: number): SyntaxNode | null {
  if (array.name !== 'Array') return null
  let at = -1
  for (let child = array.firstChild; child; child = child.nextSibling) {
    if (values.has(child.name) && ++at === index) return child
  }
  return null
}

function member(state: EditorState, object: SyntaxNode, key: string): SyntaxNode | null {
  if (object.name !== 'Object') return null
  for (const property of object.getChildren('Property')) {
    const name = property.getChild('PropertyName')
    if (name && state.sliceDoc(name.from, name.to) === JSON.stringify(key)) return property.lastChild
  }
  return null
}
