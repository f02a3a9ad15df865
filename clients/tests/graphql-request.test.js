import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ClientError, GraphQLClient, gql } from 'graphql-request'

import { start } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make({})
})
after(() => server?.stop())

const make = (options) => new GraphQLClient(`${server.address}/graphql`, { headers: { authorization: `Bearer ${server.key}` }, ...options })

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { categories } = await make({ method }).request(gql`query Categories { categories { id number name } }`)
    assert.equal(categories.length, 15)
  })
}

test('pages', async () => {
  const seen = new Set()
  let after
  do {
    const { suppliers } = await client.request(
      gql`query Suppliers($after: String) { suppliers(first: 50, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }`,
      { after },
    )
    for (const node of suppliers.nodes) seen.add(node.id)
    after = suppliers.pageInfo.hasNextPage ? suppliers.pageInfo.endCursor : undefined
    if (!after) assert.equal(seen.size, suppliers.totalCount)
  } while (after)
})

test('an error', async () => {
  await assert.rejects(
    client.request(gql`query Node($id: ID!) { node(id: $id) { id } }`, { id: 'nonsense' }),
    (error) => error instanceof ClientError && error.response.errors[0].extensions.code === 'BAD_USER_INPUT',
  )
  await assert.rejects(make({ headers: {} }).request(gql`{ viewer { role } }`), (error) => error.response.status === 401 && error.response.errors[0].extensions.code === 'UNAUTHENTICATED')
})

test('a mutation', async () => {
  const { upsertSuppliers } = await client.request(
    gql`mutation Upsert($input: UpsertSuppliersInput!) { upsertSuppliers(input: $input) { created results { supplier { name } } } }`,
    { input: { suppliers: [{ externalId: 'by-graphql-request', name: 'By graphql-request' }] } },
  )
  assert.equal(upsertSuppliers.created, 1)
})

test('several queries in one request', async () => {
  const [one, two] = await client.batchRequests([{ document: gql`{ viewer { role } }` }, { document: gql`{ categories { number } }` }])
  assert.equal(one.data.viewer.role, 'ADMIN')
  assert.equal(two.data.categories.length, 15)
})
