/** What a shared link carries. Keys and results never do. */
export interface Shared {
  query: string
  variables: string
}

/** Packs an operation for the fragment of an address, which no server or proxy ever sees. */
export async function pack(shared: Shared): Promise<string> {
  const body = new TextEncoder().encode(JSON.stringify([shared.query, shared.variables]))
  const packed = await through(body, new CompressionStream('deflate-raw'))
  const letters = Array.from(packed, (byte) => String.fromCharCode(byte)).join('')
  return 'q=' + btoa(letters).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** Undoes pack. Undefined where the fragment is not a whole one. */
export async function unpack(fragment: string): Promise<Shared | undefined> {
  try {
    const letters = atob(fragment.replace(/^#?q=/, '').replaceAll('-', '+').replaceAll('_', '/'))
    const body = await through(Uint8Array.from(letters, (c) => c.charCodeAt(0)), new DecompressionStream('deflate-raw'))
    const [query, variables] = JSON.parse(new TextDecoder().decode(body))
    return typeof query === 'string' && typeof variables === 'string' ? { query, variables } : undefined
  } catch {
    return undefined
  }
}

async function through(body: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> {
  return new Uint8Array(await new Response(new Blob([body]).stream().pipeThrough(stream)).arrayBuffer())
}
