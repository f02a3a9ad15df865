import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { NetworkError } from 'graphql-sse'

import { follow } from '../setup/follow.js'
import { events } from '../setup/graphql-sse.js'
import { sha256 } from '../setup/sha256.js'
import { PROGRESS, between, start } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make()
})
after(async () => {
  client?.dispose()
  await server?.stop()
})

const make = (options) => events({ url: server.url, key: server.key, ...options })

/** The only result of an operation. */
async function ask(request, from = client) {
  const results = []
  for await (const result of from.iterate(request)) results.push(result)
  assert.equal(results.length, 1)
  return results[0]
}

/** The events that EventSource would tell of, and comments as those of no name: the client above asks by POST alone. */
async function* source(parameters) {
  const answer = await fetch(`${server.url}?${new URLSearchParams(parameters)}`, { headers: { accept: 'text/event-stream', authorization: `Bearer ${server.key}` } })
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  let text = ''
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    text += chunk
    for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
      const event = {}
      for (const line of text.slice(0, end).split('\n')) {
        const [, name, value] = /^([^:]*):? ?(.*)$/.exec(line)
        event[name] = value
      }
      yield event
    }
  }
  assert.equal(text, '')
}

const SUPPLIERS = 'query Suppliers($after: String) { suppliers(first: 50, after: $after) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }'

test('a query, and one with variables', async () => {
  const { data } = await ask({ query: '{ categories { number } }' })
  assert.equal(data.categories.length, 15)
  const page = await ask({ query: 'query First($n: Int!) { suppliers(first: $n) { nodes { name } } }', variables: { n: 2 } })
  assert.equal(page.data.suppliers.nodes.length, 2)
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
  const nothing = await ask({ query: '{ nothing }' })
  assert.equal(nothing.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
})

test('a mutation', async () => {
  const { data } = await ask({
    query: 'mutation Upsert($input: UpsertSuppliersInput!) { upsertSuppliers(input: $input) { created results { supplier { name } } } }',
    variables: { input: { suppliers: [{ externalId: 'by-graphql-sse', name: 'By graphql-sse' }] } },
  })
  assert.equal(data.upsertSuppliers.created, 1)
})

test('a persisted query: by its hash, with its text once, by its hash again', async () => {
  const query = '{ viewer { keyName } }'
  const extensions = { persistedQuery: { version: 1, sha256Hash: await sha256(query) } }
  const { errors } = await ask({ extensions })
  assert.deepEqual([errors[0].message, errors[0].extensions.code], ['PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND'])
  const told = await ask({ query, extensions })
  assert.equal(told.data.viewer.keyName, 'demo')
  assert.deepEqual(await ask({ extensions }), told)
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

test('a connection that was dropped is opened again, and the run is followed on', async () => {
  const way = await between(server)
  const run = await server.begin()
  const tries = []
  const own = make({ url: way.url, retry: async () => {}, on: { connecting: (again) => tries.push(again) } })
  const told = []
  for await (const { data } of own.iterate({ query: PROGRESS, variables: { id: run.id } })) {
    told.push(data.calculationRunProgress.status)
    if (told.length === 1) way.cut()
    if (told.length === 2) await run.end()
  }
  assert.deepEqual(told, ['RUNNING', 'RUNNING', 'SUCCEEDED'])
  assert.deepEqual(tries, [false, true])
  way.close()
})

test('a bad key is told with its status, after as many tries as the client is let make', async () => {
  let tries = 0
  const own = make({ key: 'cg_nobody_0000000000000000', retryAttempts: 2, retry: async () => {}, on: { connecting: () => tries++ } })
  await assert.rejects(ask({ query: '{ viewer { role } }' }, own), (error) => error instanceof NetworkError && error.response.status === 401)
  assert.equal(tries, 3)
})

test('the single connection mode is not there, and the client is told so', async () => {
  const own = make({ singleConnection: true, retryAttempts: 0 })
  await assert.rejects(ask({ query: '{ viewer { role } }' }, own), (error) => error.response.status === 405)
})

test('a query by GET', async () => {
  const told = []
  for await (const event of source({ query: '{ viewer { role } }' })) told.push(event)
  assert.deepEqual(told, [{ '': '' }, { event: 'next', data: '{"data":{"viewer":{"role":"ADMIN"}}}' }, { event: 'complete', data: '' }])
})

test('a run is followed by GET, with the text and by its hash', async () => {
  const extensions = JSON.stringify({ persistedQuery: { version: 1, sha256Hash: await sha256(PROGRESS) } })
  for (const parameters of [{ query: PROGRESS, extensions }, { extensions }]) {
    const run = await server.begin()
    const told = []
    for await (const { event, data } of source({ ...parameters, variables: JSON.stringify({ id: run.id }) })) {
      if (event === 'next') told.push(JSON.parse(data).data.calculationRunProgress.status)
      if (event === 'next' && told.length === 1) await run.end()
      if (event === 'complete') told.push(event)
    }
    assert.deepEqual(told, ['RUNNING', 'SUCCEEDED', 'complete'])
  }
})
