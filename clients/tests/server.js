import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const startLimit = 60_000

/**
 * Starts the program, which CARBONGRAPH_BIN names or is built, on demo data of its own. It gives the address, an ADMIN's key, the code that signs in
 * once, and how to stop it.
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
    return { address: `http://${listen}`, key, code, stop: () => stop(server, folder) }
  } catch (error) {
    await stop(server, folder)
    throw error
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
