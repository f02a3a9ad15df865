import { start } from '../../clients/tests/server.js'

/** Starts the program itself on demo data, once for all tests, and stops it after them. */
export default async function setUp(): Promise<() => Promise<void>> {
  if (process.env.CARBONGRAPH_URL) return async () => {}
  const { address, key, code, stop } = await start({ activities: 5000 })
  process.env.CARBONGRAPH_URL = address
  process.env.CARBONGRAPH_KEY = key
  process.env.CARBONGRAPH_CODE = code
  return stop
}
