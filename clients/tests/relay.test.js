import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'

import relay from 'relay-runtime'
import compiler from 'relay-compiler'

import { start } from './server.js'

const { Environment, Network, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery } = relay

let server, folder, environment
const documents = {}

before(async () => {
  server = await start()
  folder = mkdtempSync(join(tmpdir(), 'carbongraph-relay-'))
  await compile()
  environment = new Environment({ network: Network.create(send), store: new Store(new RecordSource()) })
})
after(async () => {
  rmSync(folder, { recursive: true, force: true })
  await server?.stop()
})

/** Compiles the documents against the schema that the server serves. */
async function compile() {
  cpSync(new URL('relay/', import.meta.url), join(folder, 'src'), { recursive: true })
  mkdirSync(join(folder, 'src', '__generated__'))
  writeFileSync(join(folder, 'schema.graphql'), await (await fetch(`${server.address}/schema.graphql`)).text())
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  writeFileSync(join(folder, 'relay.config.json'), JSON.stringify({ src: './src', schema: './schema.graphql', language: 'javascript', eagerEsModules: true }))
  execFileSync(compiler, ['relay.config.json'], { cwd: folder, stdio: 'pipe' })
  for (const name of ['CategoriesQuery', 'SuppliersQuery', 'NodeQuery', 'UpsertMutation']) {
    const file = join(folder, 'src', '__generated__', `ledger${name}.graphql.js`)
    documents[name] = (await import(pathToFileURL(file))).default
  }
}

async function send(request, variables) {
  const answer = await fetch(`${server.address}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json', authorization: `Bearer ${server.key}` },
    body: JSON.stringify({ query: request.text, variables }),
  })
  return answer.json()
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
