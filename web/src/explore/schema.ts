import { buildClientSchema, buildSchema, getIntrospectionQuery, type GraphQLSchema, type IntrospectionQuery } from 'graphql'
import { execute, send, unauthenticated, Unreachable } from '../http'

/** How the schema came, or why it did not. */
export type Loaded =
  | { state: 'ready'; schema: GraphQLSchema; from: 'introspection' | 'file' }
  | { state: 'closed' | 'signed-out' | 'unreachable' | 'unreadable' }

/** Asks for the schema by introspection; where that is off, for the published file. */
export async function loadSchema(): Promise<Loaded> {
  try {
    const reply = await execute({ query: getIntrospectionQuery({ inputValueDeprecation: true }), operationName: 'IntrospectionQuery' })
    const data = (reply.json as { data?: IntrospectionQuery | null } | undefined)?.data
    if (data?.__schema) return { state: 'ready', schema: buildClientSchema(data), from: 'introspection' }
    if (unauthenticated(reply)) return { state: 'signed-out' }
    if (reply.status >= 500) return { state: 'unreadable' }
    return await fromFile()
  } catch (error) {
    return { state: error instanceof Unreachable ? 'unreachable' : 'unreadable' }
  }
}

async function fromFile(): Promise<Loaded> {
  const reply = await send('/schema.graphql', { headers: { accept: 'application/graphql, text/plain' } })
  const type = reply.headers.get('content-type') ?? ''
  if (reply.status !== 200 || type.startsWith('text/html')) return { state: 'closed' }
  return { state: 'ready', schema: buildSchema(reply.text, { assumeValidSDL: true }), from: 'file' }
}
