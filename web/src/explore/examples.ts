const files = import.meta.glob<string>('../queries/*.graphql', { query: '?raw', import: 'default', eager: true })

/** A ready operation: its first comment line is the question it answers, the next ones say more. */
export interface Example {
  slug: string
  question: string
  more: string
  text: string
  writes: boolean
}

const order = [
  'top-suppliers',
  'where-does-this-number-come-from',
  'emissions-by-category',
  'emissions-by-month',
  'suppliers-with-largest-emissions',
  'not-calculated',
  'find-factors',
  'estimate',
  'how-was-it-calculated-before',
  'import-dry-run',
  'who-am-i',
]

export const examples: Example[] = Object.entries(files)
  .map(([path, text]) => example(path.replace(/^.*\/(.*)\.graphql$/, '$1'), text))
  .sort((a, b) => place(a.slug) - place(b.slug))

function place(slug: string): number {
  const at = order.indexOf(slug)
  return at < 0 ? order.length : at
}

function example(slug: string, text: string): Example {
  const comments = /^(#.*\n)*/.exec(text)?.[0].split('\n').map((line) => line.replace(/^#\s?/, '')) ?? []
  return { slug, question: comments[0] ?? slug, more: comments.slice(1).join(' ').trim(), text, writes: /^mutation\b/m.test(text) }
}
