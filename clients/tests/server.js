import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const startLimit = 60_000

/** Starts the program on demo data of its own. It gives the address, an ADMIN's key, and how to stop it. */
export async function start() {
  const program = process.env.CARBONGRAPH_BIN
  if (!program) throw new Error('CARBONGRAPH_BIN names the program to test; clients/run.sh sets it')
  const folder = mkdtempSync(join(tmpdir(), 'carbongraph-clients-'))
  const [listen, admin] = await Promise.all([freeAddress(), freeAddress()])
  const server = spawn(program, ['demo', '--data', join(folder, 'data'), '--listen', listen, '--admin', admin, '--activities', '500'], { stdio: ['ignore', 'pipe', 'pipe'] })
  try {
    const key = await said(server)
    await ready(`http://${listen}/readyz`)
    return { address: `http://${listen}`, key, stop: () => stop(server, folder) }
  } catch (error) {
    await stop(server, folder)
    throw error
  }
}

async function freeAddress() {
  const socket = createServer()
  await new Promise((done) => socket.listen(0, '127.0.0.1', done))
  const { port } = socket.address()
  await new Promise((done) => socket.close(done))
  return `127.0.0.1:${port}`
}

/** The key that the program prints when it is ready. */
function said(server) {
  return new Promise((done, fail) => {
    let text = ''
    const timer = setTimeout(() => fail(new Error(`no key within ${startLimit} ms; it said:\n${text}`)), startLimit)
    const listen = (chunk) => {
      if (text === undefined) return
      text += chunk
      const key = /\bcg_\w+(?=\s)/.exec(text)?.[0]
      if (!key) return
      clearTimeout(timer)
      text = undefined
      done(key)
    }
    server.stdout.on('data', listen)
    server.stderr.on('data', listen)
    server.once('error', fail)
    server.once('exit', (status, signal) => fail(new Error(`it stopped with ${status ?? signal}:\n${text}`)))
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
