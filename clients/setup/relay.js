import relay from 'relay-runtime'

import { socket } from './graphql-ws.js'

/** The carrier of subscriptions is a client of graphql-ws, or of graphql-sse. */
export function environment({ url, key, carrier = socket({ url, key }), method = 'GET', fetch = globalThis.fetch }) {
  const headers = { accept: 'application/graphql-response+json', authorization: `Bearer ${key}` }
  const post = async (body) => (await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) })).json()
  const get = async (parameters) => (await fetch(`${url}?${new URLSearchParams(parameters)}`, { headers })).json()

  /** Asks by the hash that the compiler has made; the text goes along where the server does not know it. */
  async function ask({ id, text, operationKind }, variables) {
    const extensions = { persistedQuery: { version: 1, sha256Hash: id } }
    if (operationKind === 'mutation') return post({ query: text, variables })
    const answer = method === 'GET' ? await get({ variables: JSON.stringify(variables), extensions: JSON.stringify(extensions) }) : await post({ variables, extensions })
    const missing = answer.errors?.some((error) => error.extensions?.code === 'PERSISTED_QUERY_NOT_FOUND')
    return missing ? post({ query: text, variables, extensions }) : answer
  }

  const follow = ({ text }, variables) => relay.Observable.create((sink) => carrier.subscribe({ query: text, variables }, sink))

  return new relay.Environment({ network: relay.Network.create(ask, follow), store: new relay.Store(new relay.RecordSource()) })
}
