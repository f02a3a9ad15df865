import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, fetchExchange } from '@urql/core'
import { cacheExchange } from '@urql/exchange-graphcache'
import { relayPagination } from '@urql/exchange-graphcache/extras'

import { start } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make({})
})
after(() => server?.stop())

function make(options) {
  return new Client({
    url: `${server.address}/graphql`,
    exchanges: [cacheExchange({ resolvers: { Query: { suppliers: relayPagination() } }, keys: { ProvenanceStep: () => null } }), fetchExchange],
    fetchOptions: { headers: { authorization: `Bearer ${server.key}` } },
    ...options,
  })
}

const SUPPLIERS = `query Suppliers($first: Int!, $after: String) {
  suppliers(first: $first, after: $after) { __typename edges { __typename node { __typename id name } } pageInfo { __typename hasNextPage hasPreviousPage startCursor endCursor } }
}`

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { data, error } = await make({ preferGetMethod: method === 'GET' ? 'force' : false }).query('query Categories { categories { id number name } }', {})
    assert.equal(error, undefined)
    assert.equal(data.categories.length, 15)
  })
}

test('pages, put together by relayPagination', async () => {
  const first = await client.query(SUPPLIERS, { first: 3 })
  assert.equal(first.error, undefined)
  const second = await client.query(SUPPLIERS, { first: 3, after: first.data.suppliers.pageInfo.endCursor })
  assert.equal(new Set(second.data.suppliers.edges.map((edge) => edge.node.id)).size, 6)
})

test('an error', async () => {
  const { error } = await client.query('query Node($id: ID!) { node(id: $id) { id } }', { id: 'nonsense' })
  assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT')
})

test('a mutation', async () => {
  const { data, error } = await client.mutation(
    'mutation Upsert($input: UpsertSuppliersInput!) { upsertSuppliers(input: $input) { created results { supplier { id name } } } }',
    { input: { suppliers: [{ externalId: 'by-urql', name: 'By urql' }] } },
  )
  assert.equal(error, undefined)
  assert.equal(data.upsertSuppliers.created, 1)
})
