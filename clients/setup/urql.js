import { Client, fetchExchange, subscriptionExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'
import { persistedExchange } from '@urql/exchange-persisted'

import { socket } from './graphql-ws.js'
import { sha256 } from './sha256.js'

/** Subscriptions go over a WebSocket, or as server-sent events where fetchSubscriptions is true. */
export function urql({ url, key, carrier = socket({ url, key }), preferGetForPersistedQueries = 'force', enableForSubscriptions = false, ...options }) {
  const forwardSubscription = ({ query = '', variables, operationName, extensions }) => ({
    subscribe: (sink) => ({ unsubscribe: carrier.subscribe({ query, variables, operationName, extensions }, sink) }),
  })
  return new Client({
    url,
    fetchOptions: { headers: { authorization: `Bearer ${key}` } },
    exchanges: [
      cacheExchange({ resolvers: { Query: { suppliers: relayPagination() } }, keys: { ProvenanceStep: () => null } }),
      persistedExchange({ preferGetForPersistedQueries, enableForSubscriptions, generateHash: sha256 }),
      ...(options.fetchSubscriptions ? [] : [subscriptionExchange({ forwardSubscription })]),
      fetchExchange,
    ],
    ...options,
  })
}
