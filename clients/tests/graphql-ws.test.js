import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { WebSocket } from 'ws'

import { follow } from '../setup/follow.js'
import { socket } from '../setup/graphql-ws.js'
import '../setup/websocket.js'
import { sha256 } from '../setup/sha256.js'
import { PROGRESS, between, start } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make()
})
after(async () => {
  await client?.dispose()
  await server?.stop()
})

const make = (options) => socket({ url: server.url, key: server.key, ...options })

/** The only result of an operation. */
async function ask(request, from = client) {
  const results = []
  for await (const result of from.iterate(request)) results.push(result)
  assert.equal(results.length, 1)
  return results[0]
}

const SUPPLIERS = 'query Suppliers($after: String) { suppliers(first: 50, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }'

test('a query, and one with variables', async () => {
  const { data } = await ask({ query: '{ categories { number } }' })
  assert.equal(data.categories.length, 15)
  const page = await ask({ query: 'query First($n: Int!) { suppliers(first: $n) { nodes { name } } }', variables: { n: 2 } })
  assert.equal(page.data.suppliers.nodes.length, 2)
})

test('one of several operations of a document', async () => {
  const { data } = await ask({ query: 'query A { viewer { role } } query B { categories { number } }', operationName: 'A' })
  assert.deepEqual(data, { viewer: { role: 'ADMIN' } })
})

test('pages', async () => {
  const seen = new Set()
  let after
  do {
    const { suppliers } = (await ask({ query: SUPPLIERS, variables: { after } })).data
    for (const node of suppliers.nodes) seen.add(node.id)
    after = suppliers.pageInfo.hasNextPage ? suppliers.pageInfo.endCursor : undefined
    if (!after) assert.equal(seen.size, suppliers.totalCount)
  } while (after)
})

test('an error, beside data and instead of it', async () => {
  const { data, errors } = await ask({ query: '{ a: node(id: "nonsense") { id } categories { number } }' })
  assert.equal(data.categories.length, 15)
  assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
  await assert.rejects(ask({ query: '{ nothing }' }), ([error]) => error.extensions.code === 'GRAPHQL_VALIDATION_FAILED')
})

test('a mutation', async () => {
  const { data } = await ask({
    query: 'mutation Upsert($input: UpsertSuppliersInput!) { upsertSuppliers(input: $input) { created results { supplier { name } } } }',
    variables: { input: { suppliers: [{ externalId: 'by-graphql-ws', name: 'By graphql-ws' }] } },
  })
  assert.equal(data.upsertSuppliers.created, 1)
})

// The client has to be given a text, be it an empty one.
test('a persisted query: by its hash, with its text once, by its hash again', async () => {
  const query = '{ viewer { keyName } }'
  const extensions = { persistedQuery: { version: 1, sha256Hash: await sha256(query) } }
  await assert.rejects(ask({ query: '', extensions }), ([error]) => error.message === 'PersistedQueryNotFound' && error.extensions.code === 'PERSISTED_QUERY_NOT_FOUND')
  const told = await ask({ query, extensions })
  assert.equal(told.data.viewer.keyName, 'demo')
  assert.deepEqual(await ask({ query: '', extensions }), told)
})

test('a persisted subscription', async () => {
  const extensions = { persistedQuery: { version: 1, sha256Hash: await sha256(PROGRESS) } }
  const run = await server.begin()
  await run.end()
  const variables = { id: run.id }
  await ask({ query: PROGRESS, variables, extensions })
  const { data } = await ask({ query: '', variables, extensions })
  assert.equal(data.calculationRunProgress.status, 'SUCCEEDED')
})

test('a run is followed to its end', async () => {
  const run = await server.begin()
  const told = []
  for await (const { status } of follow(client, run.id)) {
    told.push(status)
    if (told.length === 1) await run.end()
  }
  assert.deepEqual(told, ['RUNNING', 'SUCCEEDED'])
})

test('a subscription that cannot begin', async () => {
  await assert.rejects(follow(client, 'nonsense').next(), /is not an id/)
  const { errors } = await ask({ query: PROGRESS, variables: { id: 'nonsense' } })
  assert.equal(errors[0].extensions.code, 'BAD_USER_INPUT')
})

test('a subscription that the client has enough of, while the socket goes on', async () => {
  const run = await server.begin()
  const sockets = []
  const own = make({ lazy: false, on: { opened: (one) => sockets.push(one) } })
  for await (const { data } of own.iterate({ query: PROGRESS, variables: { id: run.id } })) {
    assert.equal(data.calculationRunProgress.status, 'RUNNING')
    break
  }
  const { data } = await ask({ query: '{ viewer { role } }' }, own)
  assert.equal(data.viewer.role, 'ADMIN')
  assert.equal(sockets.length, 1)
  await run.end()
  await own.dispose()
})

test('many operations beside a subscription on one socket', async () => {
  const run = await server.begin()
  const sockets = []
  const closes = []
  const own = make({ on: { opened: (one) => sockets.push(one), closed: (event) => closes.push(event) } })
  const following = own.iterate({ query: PROGRESS, variables: { id: run.id } })
  assert.equal((await following.next()).value.data.calculationRunProgress.status, 'RUNNING')
  const pages = await Promise.all(Array.from({ length: 15 }, (_, n) => ask({ query: 'query First($n: Int!) { suppliers(first: $n) { nodes { id } } }', variables: { n: n + 1 } }, own)))
  pages.forEach(({ data }, n) => assert.equal(data.suppliers.nodes.length, n + 1))
  await run.end()
  assert.equal((await following.next()).value.data.calculationRunProgress.status, 'SUCCEEDED')
  assert.ok((await following.next()).done)
  assert.equal(sockets.length, 1)
  await own.dispose()
})

test('more operations than one socket may have are refused, and those before go on', async () => {
  const run = await server.begin()
  const own = make()
  const request = { query: PROGRESS, variables: { id: run.id } }
  const all = Array.from({ length: 20 }, () => own.iterate(request))
  const told = async () => (await Promise.all(all.map((one) => one.next()))).map(({ value }) => value.data.calculationRunProgress.status)
  assert.deepEqual(new Set(await told()), new Set(['RUNNING']))
  await assert.rejects(ask(request, own), ([error]) => error.extensions.code === 'RATE_LIMITED')
  await run.end()
  assert.deepEqual(new Set(await told()), new Set(['SUCCEEDED']))
  await own.dispose()
})

test('a socket that was dropped is opened again, and the run is followed on', async () => {
  const way = await between(server)
  const run = await server.begin()
  const tries = []
  const own = make({ url: way.url, retryWait: async () => {}, on: { connecting: (again) => tries.push(again) } })
  const told = []
  for await (const { data } of own.iterate({ query: PROGRESS, variables: { id: run.id } })) {
    told.push(data.calculationRunProgress.status)
    if (told.length === 1) way.cut()
    if (told.length === 2) await run.end()
  }
  assert.deepEqual(told, ['RUNNING', 'RUNNING', 'SUCCEEDED'])
  assert.deepEqual(tries, [false, true])
  await own.dispose()
  way.close()
})

test('a ping is answered, and keeps the socket', async () => {
  const run = await server.begin()
  let pongs = 0
  let enough
  const answered = new Promise((done) => (enough = done))
  const own = make({ keepAlive: 20, on: { pong: (received) => received && ++pongs === 3 && enough() } })
  const following = own.iterate({ query: PROGRESS, variables: { id: run.id } })
  assert.equal((await following.next()).value.data.calculationRunProgress.status, 'RUNNING')
  await answered
  await run.end()
  assert.equal((await following.next()).value.data.calculationRunProgress.status, 'SUCCEEDED')
  await own.dispose()
})

for (const [name, connectionParams] of [['a bad key', { authorization: 'Bearer cg_nobody_0000000000000000' }], ['no key', undefined]]) {
  test(`${name} closes the socket with 4401, and the client does not try again`, async () => {
    let tries = 0
    const own = make({ connectionParams, retryWait: async () => {}, on: { connecting: () => tries++ } })
    await assert.rejects(ask({ query: '{ viewer { role } }' }, own), ({ code, reason }) => code === 4401 && reason !== '')
    assert.equal(tries, 1)
    await own.dispose()
  })
}

test('a key in the header of the handshake', async () => {
  const headers = { authorization: `Bearer ${server.key}` }
  class Signed extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { headers })
    }
  }
  const own = make({ connectionParams: undefined, webSocketImpl: Signed })
  const { data } = await ask({ query: '{ viewer { role } }' }, own)
  assert.equal(data.viewer.role, 'ADMIN')
  await own.dispose()
})
