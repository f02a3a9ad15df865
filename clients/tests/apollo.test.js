import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client'
import { BatchHttpLink } from '@apollo/client/link/batch-http'
import { relayStylePagination } from '@apollo/client/utilities'
import { filter, firstValueFrom } from 'rxjs'

import { start } from './server.js'

let server, client
before(async () => {
  server = await start()
  client = make((options) => new HttpLink(options))
})
after(() => server?.stop())

function make(link, options = {}) {
  return new ApolloClient({
    link: link({ uri: `${server.address}/graphql`, headers: { authorization: `Bearer ${server.key}` }, ...options }),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { suppliers: relayStylePagination() } } }, possibleTypes: { Node: ['Supplier', 'Emission', 'Activity', 'Category'] } }),
  })
}

const CATEGORIES = gql`query Categories { categories { id number name } }`
const SUPPLIERS = gql`query Suppliers($first: Int!, $after: String) {
  suppliers(first: $first, after: $after) { edges { cursor node { id name emissions(first: 2) { nodes { id co2e(unit: KG) factor { id name } } } } } pageInfo { hasNextPage endCursor } }
}`

for (const method of ['POST', 'GET']) {
  test(`a query by ${method}`, async () => {
    const { data } = await make((options) => new HttpLink(options), { useGETForQueries: method === 'GET' }).query({ query: CATEGORIES })
    assert.equal(data.categories.length, 15)
  })
}

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
  const batched = make((options) => new BatchHttpLink({ ...options, batchMax: 10 }))
  const answers = await Promise.all([batched.query({ query: CATEGORIES }), batched.query({ query: SUPPLIERS, variables: { first: 2 } }), batched.query({ query: gql`{ viewer { role } }` })])
  assert.equal(answers[0].data.categories.length, 15)
  assert.equal(answers[1].data.suppliers.edges.length, 2)
  assert.equal(answers[2].data.viewer.role, 'ADMIN')
})
