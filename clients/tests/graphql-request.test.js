import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ClientError, gql } from 'graphql-request'

import { graphqlRequest, persisted } from '../setup/graphql-request.js'
import { sha256 } from '../setup/sha256.js'
import { PROGRESS, start, watched } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make()
})
after(() => server?.stop())

const make = (options) => graphqlRequest({ url: server.url, key: server.key, ...options })

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { categories } = await make({ method }).request(gql`query Categories { categories { id number name } }`)
    assert.equal(categories.length, 15)
  })
}

for (const method of ['POST', 'GET']) {
  test(`a persisted query by ${method}, by the fetch that the client is given: by its hash, with its text once, by its hash again`, async () => {
    const { sent, fetch } = watched()
    const own = make({ method, fetch: persisted(fetch) })
    for (let i = 0; i < 2; i++) {
      const { suppliers } = await own.request(gql`query By${method}($first: Int!) { suppliers(first: $first) { nodes { id } } }`, { first: 2 })
      assert.equal(suppliers.nodes.length, 2)
    }
    assert.deepEqual(sent, [`${method} hash`, `${method} text hash`, `${method} hash`])
  })
}

test('a persisted query by POST, by requestMiddleware: by its hash, with its text once, by its hash again', async () => {
  const document = gql`query ByMiddleware { viewer { keyName } }`
  const extensions = { persistedQuery: { version: 1, sha256Hash: await sha256(document) } }
  const hashed = (request) => ({ ...request, body: JSON.stringify({ ...JSON.parse(request.body), query: undefined, extensions }) })
  const told = (request) => ({ ...request, body: JSON.stringify({ ...JSON.parse(request.body), extensions }) })
  const ask = (requestMiddleware) => make({ requestMiddleware }).request(document)
  await assert.rejects(ask(hashed), (error) => error.response.errors[0].extensions.code === 'PERSISTED_QUERY_NOT_FOUND')
  for (const requestMiddleware of [told, hashed]) {
    assert.equal((await ask(requestMiddleware)).viewer.keyName, 'demo')
  }
})

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

test('there are no subscriptions by this client, and it is told so', async () => {
  await assert.rejects(client.request(PROGRESS, { id: 'nonsense' }), (error) => error instanceof ClientError && error.response.status === 406)
})

test('what an operation costs, and what it would cost', async () => {
  const query = gql`{ suppliers(first: 5) { nodes { id } } }`
  const { data, extensions, headers } = await client.rawRequest(query, {}, { 'GraphQL-Cost': 'report' })
  const { estimated, actual } = extensions.cost
  assert.equal(data.suppliers.nodes.length, 5)
  assert.equal(headers.get('GraphQL-Cost'), `estimated=${estimated}, actual=${actual}`)
  assert.match(headers.get('RateLimit'), /^"points";r=\d+;t=\d+$/)
  assert.match(headers.get('RateLimit-Policy'), /^"points";q=\d+;w=60$/)
  const quote = await client.rawRequest(query, {}, { 'GraphQL-Cost': 'validate' })
  assert.equal(quote.data, undefined)
  assert.deepEqual(quote.extensions, { cost: { estimated } })
})
