import { expect, test } from '@playwright/test'
import { parse, print, stripIgnoredCharacters } from 'graphql'
import { failures, type Reply } from '../src/http.ts'
import { defaults, fieldAt, operations, prettify } from '../src/explore/document.ts'
import { pack, unpack } from '../src/explore/share.ts'
import { strip } from '../src/explore/strip.ts'

function reply(headers: Record<string, string>, more: Partial<Reply> = {}): Reply {
  return { status: 200, statusText: 'OK', headers: new Headers(headers), text: '', json: undefined, bytes: 22_600, wireBytes: undefined, milliseconds: 14.2, ...more }
}
const labels = (r: Reply) => strip(r).map((p) => p.label)

test('the strip tells what the headers state, and nothing else', () => {
  expect(labels(reply({}))).toEqual(['200', '14 ms', '22.6 kB'])
  expect(
    labels(
      reply(
        {
          'server-timing': 'auth;dur=0.1, db;desc="two, of them";dur=6, total;dur=12.5',
          'graphql-cost': 'estimated=124, actual=118',
          'cache-status': 'carbongraph; hit; ttl=252; detail=L1',
          'carbongraph-as-of': '2026-11-20T09:12:03.412Z',
          ratelimit: '"points";r=59882;t=31',
        },
        { wireBytes: 3100 },
      ),
    ).filter((l) => !l.startsWith('as of')),
  ).toEqual(['200', '14 ms (db 6.0 ms)', '22.6 kB → 3.1 kB', 'cost 118 of 124 est.', 'HIT L1, 4:12 left', '59,882 points left'])
  expect(labels(reply({ 'cache-status': 'carbongraph; fwd=miss', 'graphql-cost': 'estimated=9' }))).toEqual(['200', '14 ms', '22.6 kB', 'cost est. 9', 'MISS'])
  expect(labels(reply({ 'graphql-cost': 'nonsense', 'cache-status': '', 'carbongraph-as-of': 'soon', ratelimit: 'x' }))).toEqual(['200', '14 ms', '22.6 kB'])
})

test('errors come from GraphQL, from a problem document, or from the status alone', () => {
  const graphql = { errors: [{ message: 'No.', path: ['a', 0, 'b'], locations: [{ line: 1, column: 2 }], extensions: { code: 'NOT_FOUND', requestId: 'r' } }, null] }
  expect(failures(reply({}, { json: graphql }))).toEqual([
    { code: 'NOT_FOUND', message: 'No.', path: ['a', 0, 'b'], locations: [{ line: 1, column: 2 }], requestId: 'r' },
    { code: undefined, message: 'An error without a message.', path: [], locations: [], requestId: undefined },
  ])
  const problem = { title: 'Not valid', detail: 'year is an Int.', hint: 'Try 2024.', code: 'BAD_USER_INPUT', requestId: 'q' }
  expect(failures(reply({}, { status: 400, json: problem }))).toMatchObject([{ code: 'BAD_USER_INPUT', message: 'year is an Int. Try 2024.', requestId: 'q' }])
  expect(failures(reply({ 'x-request-id': 'z' }, { status: 502, statusText: 'Bad Gateway' }))).toMatchObject([{ message: 'The server answered 502 Bad Gateway, and no GraphQL response.', requestId: 'z' }])
  expect(failures(reply({}, { json: { data: null } }))).toEqual([])
})

test('what is packed for a link comes out again, and half a link does not', async () => {
  const shared = { query: '# ü 漢字 🌍\n{ viewer { role } }'.repeat(50), variables: '{"a": "b"}' }
  const packed = await pack(shared)
  expect(packed).toMatch(/^q=[\w-]+$/)
  expect(await unpack('#' + packed)).toEqual(shared)
  for (const broken of ['', '#q=', '#q=%%', '#' + packed.slice(0, -9), '#' + (await pack({ query: 1, variables: 2 } as never))]) {
    expect(await unpack(broken)).toBeUndefined()
  }
})

test('prettify changes the layout and neither the document nor a comment', () => {
  for (const text of [
    '{a}',
    'query{a}',
    'query { a } # end',
    '# top\n\n# second\nquery Q($a: Int = 1 # one\n, $b: [String!]! = ["x"]) { # open\n  a # tail\n  # before b\n  b(c: { d: "#no" }) { e\n # before close\n } }\n# last',
    '# one\nfragment F on T { x }\n# two\nmutation M { m(input: { a: [1, 2], b: """\n# block\n""" }) { ...F } }',
    'query {\n  # only\n  a\n}\n\n# between\n\nquery B { b }',
  ]) {
    const pretty = prettify(text)
    expect(stripIgnoredCharacters(pretty)).toBe(stripIgnoredCharacters(print(parse(text))))
    expect(comments(pretty)).toEqual(comments(text))
    expect(prettify(pretty)).toBe(pretty)
  }
})

/** The comments of a document: what stands after a # outside of strings. */
function comments(text: string): string[] {
  const outside = text.replace(/"""[^]*?"""|"[^"\n]*"/g, '')
  return [...outside.matchAll(/#\s?(.*)/g)].map((m) => (m[1] ?? '').trim())
}

test("a path leads to its field through aliases and fragments, and an operation's defaults become variables", () => {
  const text = 'query Q($n: Int = 2, $f: F = { a: [A, null], b: "x" }, $none: Int) { s: suppliers { ...Row } } fragment Row on C { nodes { ... on S { total: co2e } } ...Row }'
  const document = parse(text)
  const operation = operations(document)[0]
  if (!operation) throw new Error('no operation')
  expect(fieldAt(document, operation, ['s', 'nodes', 3, 'total'])?.name.value).toBe('co2e')
  expect(fieldAt(document, operation, ['s', 'nowhere', 1])?.name.value).toBe('suppliers')
  expect(fieldAt(document, operation, ['nothing'])).toBeUndefined()
  expect(JSON.parse(defaults(operation))).toEqual({ n: 2, f: { a: ['A', null], b: 'x' } })
  expect(defaults(undefined)).toBe('{}')
})
