import {
  GraphQLError,
  Kind,
  Lexer,
  Source,
  TokenKind,
  parse,
  print,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type Token,
} from 'graphql'

/** The document, or the place where it stops being one. */
export function read(text: string): { document: DocumentNode } | { error: GraphQLError } {
  try {
    return { document: parse(text) }
  } catch (error) {
    if (error instanceof GraphQLError) return { error }
    throw error
  }
}

export function operations(document: DocumentNode): OperationDefinitionNode[] {
  return document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION)
}

/** The operation that a place in the text lies in; else the first. */
export function operationAt(document: DocumentNode, offset: number): OperationDefinitionNode | undefined {
  const all = operations(document)
  return all.find((o) => o.loc && o.loc.start <= offset && offset <= o.loc.end) ?? all[0]
}

/** The defaults of an operation's variables as JSON, for a reader to change. */
export function defaults(operation: OperationDefinitionNode | undefined): string {
  const values = (operation?.variableDefinitions ?? [])
    .filter((v) => v.defaultValue !== undefined)
    .map((v) => [v.variable.name.value, v.defaultValue && valueFromASTUntyped(v.defaultValue)])
  return values.length > 0 ? JSON.stringify(Object.fromEntries(values), null, 2) : '{}'
}

/** The field that an error's path names, found by response keys through fragments. */
export function fieldAt(document: DocumentNode, operation: OperationDefinitionNode, path: (string | number)[]): FieldNode | undefined {
  let selections: SelectionSetNode | undefined = operation.selectionSet
  let field: FieldNode | undefined
  for (const key of path) {
    if (typeof key === 'number') continue
    const next: FieldNode | undefined = selections && fieldNamed(document, selections, key)
    if (!next) return field
    field = next
    selections = next.selectionSet
  }
  return field
}

function fieldNamed(document: DocumentNode, set: SelectionSetNode, key: string, seen = new Set<string>()): FieldNode | undefined {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      if ((selection.alias ?? selection.name).value === key) return selection
      continue
    }
    let inner: SelectionSetNode | undefined
    if (selection.kind === Kind.INLINE_FRAGMENT) inner = selection.selectionSet
    else if (!seen.has(selection.name.value)) {
      seen.add(selection.name.value)
      const name = selection.name.value
      inner = document.definitions.filter((d) => d.kind === Kind.FRAGMENT_DEFINITION).find((d) => d.name.value === name)?.selectionSet
    }
    const found = inner && fieldNamed(document, inner, key, seen)
    if (found) return found
  }
  return undefined
}

/** The document laid out anew, with its comments kept: graphql's printer drops them, so they are woven in again before the token they stood before. */
export function prettify(text: string): string {
  const printed = print(parse(text))
  const comments = new Map<number, string[]>()
  const trailing = new Map<number, string[]>()
  let index = 0
  for (const token of tokens(text)) {
    if (token.kind !== TokenKind.COMMENT) {
      if (!dropped(token)) index++
      continue
    }
    const line = `#${token.value}`
    const follows = token.prev && token.prev.kind !== TokenKind.SOF && token.prev.line === token.line
    if (follows) trailing.set(index - 1, [...(trailing.get(index - 1) ?? []), line])
    else comments.set(index, [...(comments.get(index) ?? []), line])
  }
  if (comments.size + trailing.size === 0) return printed + '\n'

  const before = new Map<number, string[]>()
  const after = new Map<number, string[]>()
  const places = tokens(printed)
  places.forEach((token, i) => {
    if (token.kind !== TokenKind.EOF) append(before, token.line, comments.get(i))
    append(after, token.line, trailing.get(i))
  })
  const lines = printed.split('\n').flatMap((line, i) => {
    const indent = (/^ */.exec(line)?.[0] ?? '') + (line.trim() === '}' ? '  ' : '')
    const ends = after.get(i + 1) ?? []
    return [
      ...[...(before.get(i + 1) ?? []), ...ends.slice(0, -1)].map((comment) => indent + comment),
      [line, ...ends.slice(-1)].join(' '),
    ]
  })
  return [...lines, ...(comments.get(places.length - 1) ?? []), ''].join('\n')
}

function append(to: Map<number, string[]>, line: number, comments: string[] | undefined) {
  if (comments) to.set(line, [...(to.get(line) ?? []), ...comments])
}

/** Every token of the text, comments too, up to and with the end. */
function tokens(text: string): Token[] {
  const lexer = new Lexer(new Source(text))
  while (lexer.advance().kind !== TokenKind.EOF);
  const all: Token[] = []
  for (let token = lexer.token; token.prev; token = token.prev) all.unshift(token)
  return all
}

/** The printer writes a nameless query without the word. */
function dropped(token: Token): boolean {
  if (token.kind !== TokenKind.NAME || token.value !== 'query') return false
  let next = token.next
  while (next?.kind === TokenKind.COMMENT) next = next.next
  return next?.kind === TokenKind.BRACE_L && depth(token) === 0
}

function depth(token: Token): number {
  let deep = 0
  for (let t = token.prev; t; t = t.prev) deep += t.kind === TokenKind.BRACE_L ? 1 : t.kind === TokenKind.BRACE_R ? -1 : 0
  return deep
}
