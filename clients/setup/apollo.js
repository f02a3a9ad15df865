import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { relayStylePagination } from '@apollo/client/utilities'

import { socket } from './graphql-ws.js'
import { sha256 } from './sha256.js'

export function apollo({ url, key, subscriptions = new GraphQLWsLink(socket({ url, key })), useGETForHashedQueries = true, ...options }) {
  const http = ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries }),
    new HttpLink({ uri: url, headers: { authorization: `Bearer ${key}` }, ...options }),
  ])
  return new ApolloClient({
    link: ApolloLink.split(({ operationType }) => operationType === 'subscription', subscriptions, http),
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { suppliers: relayStylePagination() } } },
      possibleTypes: { Node: ['Activity', 'ApiKey', 'CalculationRun', 'Category', 'Emission', 'EmissionFactor', 'FactorDataset', 'Organization', 'Supplier'] },
    }),
  })
}
