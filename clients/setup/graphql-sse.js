import { createClient } from 'graphql-sse'

export const events = ({ url, key, ...options }) => createClient({ url, headers: { authorization: `Bearer ${key}` }, ...options })
