import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const startLimit = 60_000

export const PROGRESS = 'subscription Progress($id: ID!) { calculationRunProgress(id: $id) { id status finishedAt } }'
const NEWEST = '{ viewer { organization { name } } emissions(first: 1, orderBy: { field: CALCULATED_AT, direction: DESC }) { nodes { run { id status } } } }'

/**
 * Starts the program, which CARBONGRAPH_BIN names or is built, on demo data of its own. It gives the address, an ADMIN's key, the code that signs in
 * once, a function that begins a run, and how to stop it.
 */
export async function start({ activities = 500 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'carbongraph-'))
  const program = process.env.CARBONGRAPH_BIN ?? build(folder)
  const [listen, admin] = await Promise.all([freeAddress(), freeAddress()])
  const args = ['demo', '--data', join(folder, 'data'), '--listen', listen, '--admin', admin, '--activities', String(activities)]
  const server = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const { key, code } = await said(server)
    await ready(`http://${listen}/readyz`)
    const address = `http://${listen}`
    const begin = () => run({ address, key, program, folder })
    const stopAll = async () => {
      await Promise.allSettled([...importers].map((end) => end()))
      await stop(server, folder)
    }
    return { address, url: `${address}/graphql`, key, code, begin, stop: stopAll }
  } catch (error) {
    await stop(server, folder)
    throw error
  }
}

let imports = 0
const importers = new Set() // how those end that go on

/**
 * An import by a second process on the same ledger. It reads a pipe that is not closed yet: it has stored some lines, and is RUNNING until it is told to end.
 */
async function run({ address, key, program, folder }) {
  const before = await newest(address, key)
  const batch = ++imports
  const file = join(folder, `run-${batch}.csv`)
  execFileSync('mkfifo', [file])
  const pipe = await open(file, 'r+') // which waits for no reader
  const args = ['import', file, '--org', before.organization, '--data-dir', join(folder, 'data')]
  const importer = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, DATABASE_URL: '' } })
  let text = ''
  importer.stderr.on('data', (chunk) => (text += chunk))
  const gone = new Promise((done) => importer.once('close', done))
  let ended
  const end = () => (ended ??= pipe.close().then(() => gone).then((status) => {
    importers.delete(end)
    if (status !== 0) throw new Error(`the import ended with ${status}:\n${text}`)
  }))
  importers.add(end)
  await pipe.writeFile('externalId,description,occurredOn,amount,currency,accountCode\n' + lines(batch, 1100))
  for (const limit = Date.now() + startLimit; Date.now() < limit && importer.exitCode === null; ) {
    const { id, status } = await newest(address, key)
    if (id !== before.id && status === 'RUNNING') return { id, end }
    await new Promise((done) => setTimeout(done, 20))
  }
  importer.kill()
  await end()
  throw new Error(`the run did not begin; it said:\n${text}`)
}

/** More than an import stores at once, and less than a pipe holds. */
const lines = (batch, count) => Array.from({ length: count }, (_, i) => `${batch}/${i},Paint,2024-05-06,9.5,GBP,4070\n`).join('')

/** The organization, and the run that calculated last. */
async function newest(address, key) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const answer = await fetch(`${address}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query: NEWEST }) })
  const { data } = await answer.json()
  return { organization: data.viewer.organization.name, ...data.emissions.nodes[0].run }
}

/** A fetch that keeps what it was asked: the method, and whether a document and a hash went with it. */
export function watched() {
  const sent = []
  const watch = (address, init) => {
    const method = init.method ?? 'GET'
    const { query, extensions } = method === 'GET' ? Object.fromEntries(new URL(address).searchParams) : JSON.parse(init.body)
    sent.push([method, query && 'text', extensions && 'hash'].filter(Boolean).join(' '))
    return fetch(address, init)
  }
  return { sent, fetch: watch }
}

/** A way to the server that can be cut. */
export async function between({ address }) {
  const { hostname, port } = new URL(address)
  const ends = new Set()
  const relay = createServer((near) => {
    const far = connect(port, hostname)
    for (const [from, to] of [[near, far], [far, near]]) {
      ends.add(from)
      from.pipe(to)
      from.on('error', () => {})
      from.on('close', () => {
        ends.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise((done) => relay.listen(0, '127.0.0.1', done))
  const cut = () => ends.forEach((end) => end.destroy())
  return {
    url: `http://127.0.0.1:${relay.address().port}/graphql`,
    cut,
    close: () => {
      cut()
      relay.close()
    },
  }
}

function build(folder) {
  const program = join(folder, 'carbongraph')
  execFileSync('go', ['build', '-o', program, '.'], { cwd: root, stdio: 'inherit' })
  return program
}

async function freeAddress() {
  const socket = createServer()
  await new Promise((done) => socket.listen(0, '127.0.0.1', done))
  const { port } = socket.address()
  await new Promise((done) => socket.close(done))
  return `127.0.0.1:${port}`
}

/** The key and the one-time code that the program prints when it is ready. */
function said(server) {
  return new Promise((done, fail) => {
    let text = ''
    const timer = setTimeout(() => fail(new Error(`no key and link within ${startLimit} ms; it said:\n${text}`)), startLimit)
    let told = false
    const listen = (chunk) => {
      if (told) return
      text += chunk
      const code = /\/sign-in#(\S+)\s/.exec(text)?.[1]
      const key = /\bcg_\w+(?=\s)/.exec(text)?.[0]
      if (!code || !key) return
      clearTimeout(timer)
      told = true
      done({ key, code })
    }
    server.stdout.on('data', listen)
    server.stderr.on('data', listen)
    server.once('error', fail)
    server.once('exit', (status, signal) => {
      if (told && !server.killed) console.error(`the program stopped by itself during the tests (${status ?? signal})`)
      fail(new Error(`it stopped with ${status ?? signal}:\n${text}`))
    })
  })
}

async function ready(address) {
  for (const end = Date.now() + startLimit; Date.now() < end; ) {
    const answer = await fetch(address).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`${address} is not ready`)
}

async function stop(server, folder) {
  if (server.exitCode === null) {
    const gone = new Promise((done) => server.once('exit', done))
    server.kill('SIGTERM')
    const late = setTimeout(() => server.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(late)
  }
  rmSync(folder, { recursive: true, force: true })
}
