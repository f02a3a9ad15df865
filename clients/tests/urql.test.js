import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { Client, fetchExchange } from '@urql/core'
import { onEnd, pipe, subscribe, take, toPromise } from 'wonka'

import { socket } from '../setup/graphql-ws.js'
import '../setup/websocket.js'
import { urql } from '../setup/urql.js'
import { PROGRESS, start, watched } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make()
})
after(() => server?.stop())

const make = (options) => urql({ url: server.url, key: server.key, ...options })
const plain = (options) => new Client({ url: server.url, exchanges: [fetchExchange], fetchOptions: { headers: { authorization: `Bearer ${server.key}` } }, ...options })

const SUPPLIERS = `query Suppliers($first: Int!, $after: String) {
  suppliers(first: $first, after: $after) { __typename edges { __typename node { __typename id name } } pageInfo { __typename hasNextPage hasPreviousPage startCursor endCursor } }
}`

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { data, error } = await plain({ preferGetMethod: method === 'GET' ? 'force' : false }).query('query Categories { categories { id number name } }', {})
    assert.equal(error, undefined)
    assert.equal(data.categories.length, 15)
  })
}

for (const method of ['POST', 'GET']) {
  test(`a persisted query by ${method}: by its hash, with its text once, by its hash again`, async () => {
    const { sent, fetch } = watched()
    const persisted = make({ preferGetForPersistedQueries: method === 'GET' ? 'force' : false, fetch })
    for (let i = 0; i < 2; i++) {
      const { data, error } = await persisted.query(`query By${method}($first: Int!) { suppliers(first: $first) { edges { node { id } } } }`, { first: 2 }, { requestPolicy: 'network-only' })
      assert.equal(error, undefined)
      assert.equal(data.suppliers.edges.length, 2)
    }
    assert.deepEqual(sent, [`${method} hash`, `${method} text hash`, `${method} hash`])
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

const transports = {
  'a WebSocket': (options) => {
    const carrier = socket({ url: server.url, key: server.key, ...options })
    return { client: make({ carrier, ...options }), close: () => carrier.dispose() }
  },
  'server-sent events': (options) => ({ client: make({ fetchSubscriptions: true, ...options }), close: () => {} }),
}

for (const [name, open] of Object.entries(transports)) {
  /** What is told of a run. The client says the last of it twice, the second time with hasNext: false. */
  const follow = async (options) => {
    const { client, close } = open(options)
    const run = await server.begin()
    const told = []
    const hear = ({ data, error, hasNext }) => {
      assert.equal(error, undefined)
      told.push([data.calculationRunProgress.status, hasNext])
      if (told.length === 1) run.end()
    }
    await new Promise((complete) => pipe(client.subscription(PROGRESS, { id: run.id }), onEnd(complete), subscribe(hear)))
    await close()
    return told
  }
  const whole = [['RUNNING', true], ['SUCCEEDED', true], ['SUCCEEDED', false]]

  test(`a run is followed to its end over ${name}`, async () => {
    assert.deepEqual(await follow(), whole)
  })

  test(`a persisted subscription over ${name}`, async () => {
    assert.deepEqual(await follow({ enableForSubscriptions: true }), whole)
    assert.deepEqual(await follow({ enableForSubscriptions: true }), whole)
  })

  test(`a subscription that cannot begin, over ${name}`, async () => {
    const { client, close } = open()
    const { error } = await client.subscription(PROGRESS, { id: 'nonsense' })
    assert.equal(error.graphQLErrors[0].extensions.code, 'BAD_USER_INPUT')
    await close()
  })

  // The client tells of it and does not end the subscription.
  test(`a bad key, over ${name}`, async () => {
    const { client, close } = open({ key: 'cg_nobody_0000000000000000' })
    const { error } = await pipe(client.subscription(PROGRESS, { id: 'nonsense' }), take(1), toPromise)
    assert.ok(error.networkError?.code === 4401 || error.response.status === 401)
    await close()
  })
}
