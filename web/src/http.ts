/** One answer over HTTP, with what was measured and what the server said about it. */
export interface Reply {
  status: number
  statusText: string
  headers: Headers
  text: string
  /** The text as JSON; undefined where it is none. */
  json: unknown
  /** Of the text, and as it came over the wire where the browser tells. */
  bytes: number
  wireBytes: number | undefined
  milliseconds: number
}

/** The server could not be reached, or broke off. */
export class Unreachable extends Error {}

const accept = 'application/graphql-response+json, application/json'

export interface Operation {
  query: string
  variables?: Record<string, unknown>
  operationName?: string
}

/** Sends one operation and measures it. Throws Unreachable, or an AbortError where the signal was used. */
export function execute(operation: Operation, signal?: AbortSignal): Promise<Reply> {
  return send('/graphql', {
    method: 'POST',
    headers: { accept, 'content-type': 'application/json' },
    body: JSON.stringify(operation),
    signal: signal ?? null,
  })
}

export async function send(address: string, init: RequestInit): Promise<Reply> {
  performance.clearResourceTimings()
  const start = performance.now()
  let response: Response
  let body: ArrayBuffer
  try {
    response = await fetch(address, { ...init, credentials: 'same-origin', redirect: 'error' })
    body = await response.arrayBuffer()
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new Unreachable('no answer', { cause })
  }
  const milliseconds = performance.now() - start
  const text = new TextDecoder().decode(body)
  return {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
    text,
    json: parse(text),
    bytes: body.byteLength,
    wireBytes: await wireBytes(address),
    milliseconds,
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The browser notes sizes a moment after the last byte. */
async function wireBytes(address: string): Promise<number | undefined> {
  await new Promise((done) => setTimeout(done))
  const entry = performance.getEntriesByName(new URL(address, location.href).href, 'resource').at(-1)
  return entry instanceof PerformanceResourceTiming && entry.encodedBodySize > 0 ? entry.encodedBodySize : undefined
}

/** One thing that went wrong, from a GraphQL answer or a problem document. */
export interface Failure {
  code: string | undefined
  message: string
  path: (string | number)[]
  locations: { line: number; column: number }[]
  requestId: string | undefined
}

/** Every error that an answer tells of, in its order. An answer that is neither GraphQL nor a problem document tells its status. */
export function failures(reply: Reply): Failure[] {
  const body = record(reply.json)
  if (Array.isArray(body?.errors)) return body.errors.map(graphqlFailure)
  if (reply.status < 400 && body && 'data' in body) return []
  const id = text(body?.requestId) ?? reply.headers.get('x-request-id') ?? undefined
  const message = [text(body?.detail) ?? text(body?.title), text(body?.hint)].filter(Boolean).join(' ')
  return [
    {
      code: text(body?.code),
      message: message || `The server answered ${reply.status} ${reply.statusText}`.trim() + ', and no GraphQL response.',
      path: [],
      locations: [],
      requestId: id,
    },
  ]
}

/** Whether the answer says that nobody is signed in. */
export function unauthenticated(reply: Reply): boolean {
  return reply.status === 401 || failures(reply).some((f) => f.code === 'UNAUTHENTICATED')
}

function graphqlFailure(error: unknown): Failure {
  const e = record(error)
  const extensions = record(e?.extensions)
  return {
    code: text(extensions?.code),
    message: text(e?.message) ?? 'An error without a message.',
    path: Array.isArray(e?.path) ? e.path.filter((p) => typeof p === 'string' || typeof p === 'number') : [],
    locations: Array.isArray(e?.locations) ? e.locations.filter((l) => typeof l?.line === 'number' && typeof l?.column === 'number') : [],
    requestId: text(extensions?.requestId),
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
