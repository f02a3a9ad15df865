import { createClient } from 'graphql-ws'

export const socket = ({ url, key, ...options }) =>
  createClient({ url: url.replace(/^http/, 'ws'), connectionParams: { authorization: `Bearer ${key}` }, keepAlive: 10_000, ...options })
