import { send, Unreachable } from './http'
import { text } from './text'

export interface Viewer {
  keyName: string
  role: string
  organization: string
}

type State = 'unknown' | 'in' | 'out' | 'unreachable'

const returnKey = 'carbongraph.return'

/** Who is signed in. The session itself is a cookie that no script can read. */
class Session {
  state = $state<State>('unknown')
  viewer = $state<Viewer>()

  /** Asks the server who is signed in. */
  async check(): Promise<void> {
    try {
      const reply = await send('/session', { headers: { accept: 'application/json' } })
      this.viewer = reply.status === 200 ? (reply.json as Viewer) : undefined
      this.state = this.viewer ? 'in' : reply.status === 401 ? 'out' : 'unreachable'
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      this.state = 'unreachable'
    }
  }

  /** Trades a key or a one-time code for the cookie. Returns what to tell the reader where it fails; the secret is kept nowhere. */
  async signIn(secret: { key: string } | { code: string }): Promise<string | undefined> {
    try {
      const reply = await send('/session', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/problem+json' },
        body: JSON.stringify(secret),
      })
      if (reply.status === 204 || reply.status === 200) {
        await this.check()
        return this.state === 'in' ? undefined : text.signIn.noSession
      }
      if (reply.status === 401 || reply.status === 400) return 'code' in secret ? text.signIn.badCode : text.signIn.badKey
      if (reply.status === 429) return text.signIn.tooOften(reply.headers.get('retry-after'))
      return text.signIn.refused(reply.status)
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      return text.errors.unreachable
    }
  }

  async signOut(): Promise<void> {
    try {
      await send('/session', { method: 'DELETE' })
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
    }
    this.viewer = undefined
    this.state = 'out'
  }

  /** The server said in passing that the session is over. */
  ended(): void {
    this.state = 'out'
  }

  /** Remembers where the reader was on the way to sign-in: here and not in the address, since a fragment may hold a query. */
  leave(address: string): void {
    try {
      sessionStorage.setItem(returnKey, address)
    } catch {
      // Storage is closed to this page: sign-in leads to the first page.
    }
  }

  /** Where to go after sign-in. */
  back(): string {
    try {
      const address = sessionStorage.getItem(returnKey)
      sessionStorage.removeItem(returnKey)
      if (address?.startsWith('/') && !address.startsWith('//') && !address.startsWith('/sign-in')) return address
    } catch {
      // As above.
    }
    return '/explore'
  }
}

export const session = new Session()
