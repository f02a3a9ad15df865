import type { Reply } from '../http'

/** One piece of the strip: what it says, and what that means. */
export interface Piece {
  key: string
  label: string
  title: string
}

/** What an answer says about itself. A piece is there only where the browser measured it or a header states it. */
export function strip(reply: Reply): Piece[] {
  const pieces: (Piece | undefined)[] = [
    { key: 'status', label: String(reply.status), title: `HTTP status ${reply.status} ${reply.statusText}`.trim() },
    time(reply),
    size(reply),
    cost(reply.headers.get('graphql-cost')),
    cache(reply.headers.get('cache-status')),
    asOf(reply.headers.get('carbongraph-as-of')),
    points(reply.headers.get('ratelimit')),
  ]
  return pieces.filter((p) => p !== undefined)
}

function time(reply: Reply): Piece {
  const server = timings(reply.headers.get('server-timing'))
  const measured = milliseconds(reply.milliseconds)
  const parts = [...server].filter(([, ms]) => ms !== undefined).map(([name, ms]) => `${name} ${milliseconds(ms ?? 0)}`)
  const db = server.get('db')
  return {
    key: 'time',
    label: measured + (db === undefined ? '' : ` (db ${milliseconds(db)})`),
    title: 'From sending to the last byte, as this browser measured it.' + (parts.length > 0 ? ` The server says: ${parts.join(', ')}.` : ''),
  }
}

function size(reply: Reply): Piece {
  const packed = reply.wireBytes !== undefined && reply.wireBytes < reply.bytes
  return {
    key: 'size',
    label: bytes(reply.bytes) + (packed ? ` → ${bytes(reply.wireBytes ?? 0)}` : ''),
    title: packed ? 'Size of the response, and as it came compressed over the wire.' : 'Size of the response.',
  }
}

function cost(header: string | null): Piece | undefined {
  const values = parameters(header)
  const actual = values.get('actual')
  const estimated = values.get('estimated')
  if (actual === undefined && estimated === undefined) return undefined
  const label = actual === undefined ? `cost est. ${estimated}` : `cost ${actual}` + (estimated === undefined ? '' : ` of ${estimated} est.`)
  return { key: 'cost', label, title: 'Cost points: what the operation took, and what was estimated before it ran.' }
}

function cache(header: string | null): Piece | undefined {
  if (header === null) return undefined
  const values = parameters(header)
  const forward = values.get('fwd')
  const layer = values.get('detail')
  const left = Number(values.get('ttl'))
  const label = values.has('hit') ? ['HIT', layer].filter(Boolean).join(' ') : forward?.toUpperCase()
  if (!label) return undefined
  return {
    key: 'cache',
    label: label + (values.has('ttl') && Number.isFinite(left) ? `, ${clock(left)} left` : ''),
    title: `Cache-Status: ${header}`,
  }
}

function asOf(header: string | null): Piece | undefined {
  if (header === null || Number.isNaN(Date.parse(header))) return undefined
  const at = new Date(header)
  return { key: 'as-of', label: `as of ${at.toLocaleTimeString([], { hour12: false })}`, title: `The figures stand for ${at.toISOString()}.` }
}

function points(header: string | null): Piece | undefined {
  const left = Number(parameters(header).get('r') ?? NaN)
  if (!Number.isFinite(left)) return undefined
  return { key: 'points', label: `${left.toLocaleString('en')} points left`, title: `RateLimit: ${header}` }
}

/** The durations of a Server-Timing header, by name; undefined where a name has none. */
export function timings(header: string | null): Map<string, number | undefined> {
  const found = new Map<string, number | undefined>()
  for (const entry of split(header ?? '', ',')) {
    const [name, ...rest] = split(entry, ';')
    const dur = rest.map((p) => p.split('=')).find(([k]) => k?.trim().toLowerCase() === 'dur')?.[1]
    if (name) found.set(name, dur === undefined ? undefined : Number(dur))
  }
  return found
}

/** name=value pairs between commas or semicolons; a name alone has the empty value. Quotes come off. */
export function parameters(header: string | null): Map<string, string> {
  const found = new Map<string, string>()
  for (const part of split(header ?? '', ',;')) {
    const [name = '', value = ''] = part.split('=', 2)
    found.set(name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1'))
  }
  return found
}

/** The parts between separators, which mean nothing within quotes. */
function split(text: string, separators: string): string[] {
  const parts = text.match(new RegExp(`(?:"(?:[^"\\\\]|\\\\.)*"|[^"${separators}]|")+`, 'g')) ?? []
  return parts.map((p) => p.trim()).filter((p) => p !== '')
}

export function milliseconds(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 10 ? `${Math.round(ms)} ms` : `${ms.toFixed(1)} ms`
}

export function bytes(n: number): string {
  if (n < 1000) return `${n} B`
  if (n < 1_000_000) return `${(n / 1000).toFixed(1)} kB`
  return `${(n / 1_000_000).toFixed(1)} MB`
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`
}
