import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { serverAudits } from 'graphql-http'

import { start } from './server.js'

let server
before(async () => {
  server = await start()
})
after(() => server?.stop())

// The audits of GraphQL over HTTP, by its working group's reference implementation. Of those that are recommendations a warning counts as a failure too.
const signed = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${server.key}` } })
const audits = serverAudits({ url: () => `${server.address}/graphql`, fetchFn: signed })

test('there are as many audits as we know of', () => {
  assert.equal(audits.length, 61)
})

for (const audit of audits) {
  test(`${audit.id} ${audit.name}`, async () => {
    const result = await audit.fn()
    assert.equal(result.status, 'ok', result.reason)
  })
}
