import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const startLimit = 60_000

/** Starts the program itself on demo data, once for all tests, and stops it after them. */
export default async function start(): Promise<() => Promise<void>> {
  if (process.env.CARBONGRAPH_URL) return async () => {}
  const folder = mkdtempSync(join(tmpdir(), 'carbongraph-console-'))
  const program = process.env.CARBONGRAPH_BIN ?? build(folder)
  const [listen, admin] = await Promise.all([freeAddress(), freeAddress()])
  const server = spawn(program, ['demo', '--data', join(folder, 'data'), '--listen', listen, '--admin', admin, '--activities', '5000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  try {
    const { key, code } = await said(server)
    process.env.CARBONGRAPH_URL = `http://${listen}`
    process.env.CARBONGRAPH_KEY = key
    process.env.CARBONGRAPH_CODE = code
    await ready(`http://${listen}/readyz`)
  } catch (error) {
    await stop(server, folder)
    throw error
  }
  return () => stop(server, folder)
}

function build(folder: string): string {
  const program = join(folder, 'carbongraph')
  execFileSync('go', ['build', '-o', program, '.'], { cwd: root, stdio: 'inherit' })
  return program
}

async function freeAddress(): Promise<string> {
  const socket = createServer()
  await new Promise<void>((done) => socket.listen(0, '127.0.0.1', done))
  const { port } = socket.address() as AddressInfo
  await new Promise((done) => socket.close(done))
  return `127.0.0.1:${port}`
}

/** The key and the one-time code that the program prints when it is ready. */
function said(server: ChildProcess): Promise<{ key: string; code: string }> {
  return new Promise((done, fail) => {
    let text = ''
    const timer = setTimeout(() => fail(new Error(`no key and link within ${startLimit} ms; it said:\n${text}`)), startLimit)
    let told = false
    const listen = (chunk: Buffer) => {
      if (told) return
      text += chunk
      const code = /\/sign-in#(\S+)\s/.exec(text)?.[1]
      const key = /\bcg_\w+(?=\s)/.exec(text)?.[0]
      if (!code || !key) return
      clearTimeout(timer)
      told = true
      done({ key, code })
    }
    server.stdout?.on('data', listen)
    server.stderr?.on('data', listen)
    server.once('error', fail)
    server.once('exit', (status, signal) => {
      if (told && !server.killed) console.error(`the program stopped by itself during the tests (${status ?? signal})`)
      fail(new Error(`it stopped with ${status ?? signal}:\n${text}`))
    })
  })
}

async function ready(address: string): Promise<void> {
  for (const end = Date.now() + startLimit; Date.now() < end; ) {
    const answer = await fetch(address).catch(() => undefined)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`${address} is not ready`)
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null) {
    const gone = new Promise((done) => server.once('exit', done))
    server.kill('SIGTERM')
    const late = setTimeout(() => server.kill('SIGKILL'), 10_000)
    await gone
    clearTimeout(late)
  }
  rmSync(folder, { recursive: true, force: true })
}
