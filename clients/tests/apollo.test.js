import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { BatchHttpLink } from '@apollo/client/link/batch-http'
import { GraphQLWsLink } from '@apollo/client/link/subscriptions'
import { filter, firstValueFrom } from 'rxjs'

import { SseLink } from '../setup/apollo-sse.js'
import { apollo } from '../setup/apollo.js'
import { events } from '../setup/graphql-sse.js'
import { socket } from '../setup/graphql-ws.js'
import '../setup/websocket.js'
import { PROGRESS, start, watched } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make()
})
after(() => server?.stop())

const make = (options) => apollo({ url: server.url, key: server.key, ...options })
const plain = (Link, options) => new ApolloClient({ link: new Link({ uri: server.url, headers: { authorization: `Bearer ${server.key}` }, ...options }), cache: new InMemoryCache() })

const CATEGORIES = gql`query Categories { categories { id number name } }`
const SUPPLIERS = gql`query Suppliers($first: Int!, $after: String) {
  suppliers(first: $first, after: $after) { edges { cursor node { id name emissions(first: 2) { nodes { id co2e(unit: KG) factor { id name } } } } } pageInfo { hasNextPage endCursor } }
}`

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { data } = await plain(HttpLink, { useGETForQueries: method === 'GET' }).query({ query: CATEGORIES })
    assert.equal(data.categories.length, 15)
  })
}

test('a persisted query by POST: by its hash, with its text once, by its hash again', async () => {
  const { sent, fetch } = watched()
  const query = gql`query ByPost { viewer { keyName } }`
  const persisted = make({ useGETForHashedQueries: false, fetch })
  for (let i = 0; i < 2; i++) {
    const { data } = await persisted.query({ query, fetchPolicy: 'network-only' })
    assert.equal(data.viewer.keyName, 'demo')
  }
  assert.deepEqual(sent, ['POST hash', 'POST text hash', 'POST hash'])
})

test('a persisted query by GET: by its hash, with its text once by POST, by its hash again', async () => {
  const { sent, fetch } = watched()
  const query = gql`query ByGet($first: Int!) { suppliers(first: $first) { edges { node { id } } } }`
  const persisted = make({ fetch })
  for (let i = 0; i < 2; i++) {
    const { data } = await persisted.query({ query, variables: { first: 2 }, fetchPolicy: 'network-only' })
    assert.equal(data.suppliers.edges.length, 2)
  }
  assert.deepEqual(sent, ['GET hash', 'POST text hash', 'GET hash'])
})

test('pages, put together by relayStylePagination', async () => {
  const watched = client.watchQuery({ query: SUPPLIERS, variables: { first: 3 } })
  const { data } = await firstValueFrom(watched.pipe(filter(({ loading }) => !loading)))
  await watched.fetchMore({ variables: { after: data.suppliers.pageInfo.endCursor } })
  const whole = client.readQuery({ query: SUPPLIERS, variables: { first: 3 } })
  assert.equal(new Set(whole.suppliers.edges.map((edge) => edge.node.id)).size, 6)
})

test('an error, beside data and instead of it', async () => {
  const beside = client.query({ query: gql`{ a: node(id: "nonsense") { id } categories { number } }`, errorPolicy: 'all' })
  const { data, error } = await beside
  assert.equal(data.categories.length, 15)
  assert.ok(CombinedGraphQLErrors.is(error) && error.errors[0].extensions.code === 'BAD_USER_INPUT')
  await assert.rejects(client.query({ query: gql`{ nothing }` }), (e) => CombinedGraphQLErrors.is(e) && e.errors[0].extensions.code === 'GRAPHQL_VALIDATION_FAILED')
})

test('a mutation', async () => {
  const { data } = await client.mutate({
    mutation: gql`mutation Upsert($input: UpsertSuppliersInput!) { upsertSuppliers(input: $input) { created results { supplier { id name } error { code } } } }`,
    variables: { input: { suppliers: [{ externalId: 'by-apollo', name: 'By Apollo', country: 'GB' }] } },
  })
  assert.equal(data.upsertSuppliers.created, 1)
  assert.equal(data.upsertSuppliers.results[0].supplier.name, 'By Apollo')
})

test('several queries in one request', async () => {
  const batched = plain(BatchHttpLink, { batchMax: 10 })
  const answers = await Promise.all([batched.query({ query: CATEGORIES }), batched.query({ query: SUPPLIERS, variables: { first: 2 } }), batched.query({ query: gql`{ viewer { role } }` })])
  assert.equal(answers[0].data.categories.length, 15)
  assert.equal(answers[1].data.suppliers.edges.length, 2)
  assert.equal(answers[2].data.viewer.role, 'ADMIN')
})

const transports = {
  'a WebSocket': (key) => {
    const carrier = socket({ url: server.url, key })
    return { link: new GraphQLWsLink(carrier), close: () => carrier.dispose() }
  },
  'server-sent events': (key) => {
    const carrier = events({ url: server.url, key, retryAttempts: 0 })
    return { link: new SseLink(carrier), close: () => carrier.dispose() }
  },
}

for (const [name, open] of Object.entries(transports)) {
  const follow = async (key, id, hear) => {
    const { link, close } = open(key)
    const following = make({ subscriptions: link }).subscribe({ query: gql(PROGRESS), variables: { id } })
    await new Promise((complete, error) => following.subscribe({ next: hear, error, complete })).finally(close)
  }

  test(`a run is followed to its end over ${name}`, async () => {
    const run = await server.begin()
    const told = []
    await follow(server.key, run.id, ({ data, error }) => {
      assert.equal(error, undefined)
      told.push(data.calculationRunProgress.status)
      if (told.length === 1) run.end()
    })
    assert.deepEqual(told, ['RUNNING', 'SUCCEEDED'])
  })

  test(`a subscription that cannot begin, over ${name}`, async () => {
    const told = []
    await follow(server.key, 'nonsense', ({ error }) => told.push(error))
    assert.equal(told.length, 1)
    assert.ok(CombinedGraphQLErrors.is(told[0]) && told[0].errors[0].extensions.code === 'BAD_USER_INPUT')
  })

  test(`a bad key, over ${name}`, async () => {
    const told = []
    await follow('cg_nobody_0000000000000000', 'nonsense', ({ error }) => told.push(error.message))
    assert.match(told.join(), /4?401/)
  })
}
