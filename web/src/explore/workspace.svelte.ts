import type { GraphQLError, OperationDefinitionNode } from 'graphql'
import { execute, unauthenticated, Unreachable, type Reply } from '../http'
import { session } from '../session.svelte'
import { text } from '../text'
import { defaults, operationAt, operations, read } from './document'
import { examples, type Example } from './examples'
import { pack, unpack } from './share'
import { parseVariables } from './variables'

const draftKey = 'carbongraph.explore'

/** Why an operation was not sent, and where to look. */
export type Hindrance = { where: 'operation'; error: GraphQLError } | { where: 'variables' } | { where: 'nothing' }

/** What is written, what runs, and what came back. */
export class Workspace {
  query = $state('')
  variables = $state('{}')
  cursor = $state(0)
  reply = $state.raw<Reply>()
  /** What went wrong without an answer. */
  problem = $state<string>()
  running = $state(false)

  readonly parsed = $derived(read(this.query))
  readonly document = $derived('document' in this.parsed ? this.parsed.document : undefined)
  readonly operations = $derived(this.document ? operations(this.document) : [])
  readonly operation: OperationDefinitionNode | undefined = $derived(this.document && operationAt(this.document, this.cursor))
  readonly writes = $derived(this.operation?.operation === 'mutation')
  /** The example that stands here unchanged. */
  readonly example = $derived(examples.find((e) => e.text === this.query))

  #abort: AbortController | undefined

  load(example: Example): void {
    this.stop()
    this.query = example.text
    this.cursor = 0
    this.variables = defaults(this.operation)
    this.reply = undefined
    this.problem = undefined
  }

  /** Takes the state of an address. Returns whether it may run at once: a ready query may, what somebody else wrote waits for the reader. */
  async open(search: string, hash: string): Promise<boolean> {
    if (hash.startsWith('#q=')) {
      const shared = await unpack(hash)
      if (shared) Object.assign(this, shared)
      else this.problem = text.explore.badLink
      return false
    }
    const slug = new URLSearchParams(search).get('x')
    const example = examples.find((e) => e.slug === slug)
    if (!example && this.#restore()) return false
    const chosen = example ?? examples[0]
    if (!chosen) return false
    this.load(chosen)
    return !chosen.writes
  }

  /** The address that gives this state again. */
  async address(): Promise<string> {
    if (this.example && this.variables === defaults(this.operation)) return `/explore?x=${this.example.slug}`
    return `/explore#${await pack({ query: this.query, variables: this.variables })}`
  }

  /** Sends the operation the cursor is in. Returns what stands in the way, if something does. */
  async run(): Promise<Hindrance | undefined> {
    if ('error' in this.parsed) {
      return this.query.replace(/#.*|[\s,]/g, '') === '' ? { where: 'nothing' } : { where: 'operation', error: this.parsed.error }
    }
    const variables = parseVariables(this.variables)
    if (!variables) return { where: 'variables' }
    if (!this.operation) return { where: 'nothing' }
    const operationName = this.operation.name?.value
    this.#abort?.abort()
    const abort = (this.#abort = new AbortController())
    this.running = true
    this.problem = undefined
    try {
      const reply = await execute({ query: this.query, variables, ...(operationName ? { operationName } : {}) }, abort.signal)
      if (abort !== this.#abort) return undefined
      if (unauthenticated(reply)) session.ended()
      else this.reply = reply
    } catch (error) {
      if (abort !== this.#abort) return undefined
      if (error instanceof Unreachable) this.problem = text.errors.unreachable
      else if (!(error instanceof DOMException)) throw error
    }
    this.running = false
    return undefined
  }

  stop(): void {
    if (!this.running) return
    this.#abort?.abort()
    this.#abort = undefined
    this.running = false
    if (this.writes) this.problem = text.explore.stopped
  }

  /** Keeps what is written for the next visit: the text alone, no key and no result. */
  keep(): void {
    try {
      localStorage.setItem(draftKey, JSON.stringify([this.query, this.variables]))
    } catch {
      // Storage is closed to this page: the text lives as long as the page.
    }
  }

  #restore(): boolean {
    try {
      const [query, variables] = JSON.parse(localStorage.getItem(draftKey) ?? '[]')
      if (typeof query !== 'string' || typeof variables !== 'string' || query.trim() === '') return false
      this.query = query
      this.variables = variables
      return true
    } catch {
      return false
    }
  }
}
