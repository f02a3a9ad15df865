import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8')
const folder = new URL('../setup/', import.meta.url)

test('the page on clients shows what the tests run', () => {
  const shown = Object.fromEntries([...page.matchAll(/`(\S+)`\n\n```\w+\n(.*?)```/gs)].map(([, name, text]) => [name, text]))
  assert.equal(Object.keys(shown).length, page.match(/^```/gm).length / 2)
  assert.deepEqual(shown, Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')])))
})
