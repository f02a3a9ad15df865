import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

import relay from 'relay-runtime'
import compiler from 'relay-compiler'

import { events } from '../setup/graphql-sse.js'
import { socket } from '../setup/graphql-ws.js'
import '../setup/websocket.js'
import { environment as make } from '../setup/relay.js'
import { start, watched } from './server.js'

const { commitMutation, createOperationDescriptor, fetchQuery, getSingularSelector, requestSubscription } = relay

let server, folder, environment
const documents = {}

before(async () => {
  server = await start()
  folder = mkdtempSync(join(tmpdir(), 'carbongraph-relay-'))
  await compile()
  environment = make({ url: server.url, key: server.key })
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server?.stop()
})

/** Compiles the documents against the schema that the server serves. */
async function compile() {
  cpSync(new URL('relay/', import.meta.url), join(folder, 'src'), { recursive: true })
  const config = JSON.parse(readFileSync(new URL('../setup/relay.config.json', import.meta.url), 'utf8'))
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({ ...config, eagerEsModules: false })) // no bundler reads them
  mkdirSync(join(folder, 'src', '__generated__'))
  writeFileSync(join(folder, 'schema.graphql'), await (await fetch(`${server.address}/schema.graphql`)).text())
  writeFileSync(join(folder, 'persisted.json'), '{}')
  execFileSync(compiler, ['relay.config.json'], { cwd: folder, stdio: 'pipe' })
  const load = createRequire(join(folder, 'src', '__generated__', 'ledger.js'))
  for (const name of ['CategoriesQuery', 'SuppliersQuery', 'FragmentQuery', 'MoreSuppliersQuery', 'NodeQuery', 'UpsertMutation', 'ProgressSubscription', '_suppliers']) {
    documents[name] = load(`./ledger${name}.graphql.js`)
  }
}

const ask = (name, variables) => fetchQuery(environment, documents[name], variables).toPromise()

test('a query', async () => {
  const { categories } = await ask('CategoriesQuery', {})
  assert.equal(categories.length, 15)
})

test('pages, put together by @connection', async () => {
  const first = await ask('SuppliersQuery', { first: 3 })
  const { pageInfo, edges } = first.suppliers
  assert.equal(edges.length, 3)
  assert.ok(pageInfo.hasNextPage)
  await ask('SuppliersQuery', { first: 3, after: pageInfo.endCursor })
  const whole = environment.lookup(createOperationDescriptor(documents.SuppliersQuery, { first: 3 }).fragment)
  const ids = whole.data.suppliers.edges.map((edge) => edge.node.id)
  assert.equal(new Set(ids).size, 6)
})

test('pages of a fragment, by the query that the compiler makes for more of it', async () => {
  const fragment = documents._suppliers
  const { forward } = fragment.metadata.refetch.connection
  const read = (operation) => environment.lookup(getSingularSelector(fragment, environment.lookup(operation.fragment).data)).data.suppliers
  await ask('FragmentQuery', {})
  const operation = createOperationDescriptor(documents.FragmentQuery, {})
  const { edges, pageInfo } = read(operation)
  assert.equal(edges.length, 3)
  assert.equal(fragment.metadata.refetch.operation, documents.MoreSuppliersQuery)
  await ask('MoreSuppliersQuery', { [forward.count]: 4, [forward.cursor]: pageInfo.endCursor })
  assert.equal(new Set(read(operation).edges.map((edge) => edge.cursor)).size, 7)
})

for (const method of ['POST', 'GET']) {
  test(`a persisted query by ${method}: by its hash, with its text once by POST, by its hash again`, async () => {
    const { sent, fetch } = watched()
    const fresh = make({ url: server.url, key: server.key, method, fetch })
    const query = { ...documents.SuppliersQuery, params: persistedAnew(documents.SuppliersQuery.params, method) }
    for (let i = 0; i < 2; i++) {
      const { suppliers } = await fetchQuery(fresh, query, { first: 2 }).toPromise()
      assert.equal(suppliers.edges.length, 2)
    }
    assert.deepEqual(sent, [`${method} hash`, 'POST text hash', `${method} hash`])
  })
}

/** The document with a comment, which no server has been sent yet. */
function persistedAnew(params, comment) {
  const text = `${params.text}# ${comment}\n`
  return { ...params, text, id: sha256(text) }
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex')

test('the compiler lists the texts by their hashes', () => {
  const list = JSON.parse(readFileSync(join(folder, 'persisted.json'), 'utf8'))
  const { id, text } = documents.SuppliersQuery.params
  assert.equal(list[id], text)
  assert.ok(Object.keys(list).length >= 6)
  for (const [hash, text] of Object.entries(list)) assert.equal(hash, sha256(text))
})

test('a row by its id, of whatever type', async () => {
  const { suppliers } = await ask('SuppliersQuery', { first: 1 })
  const { id, name } = suppliers.edges[0].node
  const { node } = await ask('NodeQuery', { id })
  assert.deepEqual(node, { __typename: 'Supplier', id, name })
})

test('an error', async () => {
  await assert.rejects(ask('SuppliersQuery', { first: 0 }), (error) => error.source.errors[0].extensions.code === 'BAD_USER_INPUT')
})

test('a mutation, whose rows are seen by every query', async () => {
  const { suppliers } = await ask('SuppliersQuery', { first: 1 })
  const { id } = suppliers.edges[0].node
  const upsert = (input) => new Promise((onCompleted, onError) => commitMutation(environment, { mutation: documents.UpsertMutation, variables: { input }, onCompleted, onError }))
  const made = await upsert({ suppliers: [{ externalId: 'by-relay', name: 'By Relay' }] })
  assert.equal(made.upsertSuppliers.created, 1)
  const again = await upsert({ suppliers: [{ externalId: 'by-relay', name: 'By Relay, once more' }] })
  assert.equal(again.upsertSuppliers.updated, 1)
  const record = environment.getStore().getSource().get(made.upsertSuppliers.results[0].supplier.id)
  assert.equal(record.name, 'By Relay, once more')
  assert.notEqual(id, record.id)
})

for (const [name, carry] of [['a WebSocket', socket], ['server-sent events', events]]) {
  const follow = async (id, { key = server.key, hear = () => {} } = {}) => {
    const carrier = carry({ url: server.url, key, retryAttempts: 0 })
    const own = make({ url: server.url, key, carrier })
    const told = []
    try {
      await new Promise((onCompleted, onError) => {
        const onNext = ({ calculationRunProgress }) => {
          told.push(calculationRunProgress.status)
          hear()
        }
        requestSubscription(own, { subscription: documents.ProgressSubscription, variables: { id }, onNext, onCompleted, onError })
      })
    } finally {
      await carrier.dispose()
    }
    return { told, record: own.getStore().getSource().get(id) }
  }

  test(`a run is followed to its end over ${name}, and the store knows its end`, async () => {
    const run = await server.begin()
    const { told, record } = await follow(run.id, { hear: run.end })
    assert.deepEqual(told, ['RUNNING', 'SUCCEEDED'])
    assert.equal(record.status, 'SUCCEEDED')
  })

  test(`a subscription that cannot begin, over ${name}`, async () => {
    await assert.rejects(follow('nonsense'), (error) => error.source.errors[0].extensions.code === 'BAD_USER_INPUT')
  })

  test(`a bad key, over ${name}`, async () => {
    await assert.rejects(follow('nonsense', { key: 'cg_nobody_0000000000000000' }), (error) => error.code === 4401 || error.response.status === 401)
  })
}
