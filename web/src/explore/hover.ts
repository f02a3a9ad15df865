import { hoverTooltip } from '@codemirror/view'
import { getSchema, offsetToPos } from 'cm6-graphql'
import { getHoverInformation } from 'graphql-language-service'

/** Shows what a name in the operation is: its signature, and the schema's words about it. */
export const hover = hoverTooltip((view, offset) => {
  const schema = getSchema(view.state)
  const word = view.state.wordAt(offset)
  if (!schema || !word) return null
  const place = offsetToPos(view.state.doc, Math.min(word.from + 1, word.to))
  const text = String(getHoverInformation(schema, view.state.doc.toString(), place)).trim()
  if (text === '') return null
  const [signature = '', ...words] = text.split(/\n\s*\n/)
  return { pos: word.from, end: word.to, above: true, create: () => ({ dom: card(signature, words) }) }
})

function card(signature: string, paragraphs: string[]): HTMLElement {
  const card = document.createElement('div')
  card.className = 'cm-hover'
  const code = document.createElement('code')
  code.textContent = signature
  card.append(code)
  for (const words of paragraphs) {
    const paragraph = document.createElement('p')
    paragraph.textContent = words
    card.append(paragraph)
  }
  return card
}
