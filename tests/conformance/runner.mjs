// Answers calls of the Node client, a line of JSON each, over a socket to a real Redis: node runner.mjs PORT KIND.
// KIND is what the client of Redis has: get, mget or mGet. Integers beyond 2^53 go out as {"bigint": "digits"}.
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { details, recs, StateError, UnknownVersion } from '../../clients/node/freshet.js'

const [port, kind] = process.argv.slice(2)
const socket = createConnection({ port: Number(port), host: '127.0.0.1' })
const waiting = []
let received = Buffer.alloc(0)

function command(...words) {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  socket.write(`*${words.length}\r\n${parts.join('')}`)
  return new Promise((resolve, reject) => waiting.push({ resolve, reject }))
}

// One reply from `at` on, and where it ends; undefined if it is not all there yet.
function parse(at) {
  const end = received.indexOf('\r\n', at)
  if (end < 0) return undefined
  const head = received.toString('utf8', at + 1, end)
  const type = String.fromCharCode(received[at])
  if (type === '-') return [new Error(head), end + 2]
  if (type === '$') {
    const begin = end + 2
    const size = Number(head)
    if (size < 0) return [null, begin]
    return received.length < begin + size + 2 ? undefined : [received.toString('utf8', begin, begin + size), begin + size + 2]
  }
  const found = []
  let next = end + 2
  for (let n = 0; n < Number(head); n++) {
    const element = parse(next)
    if (element === undefined) return undefined
    found.push(element[0])
    next = element[1]
  }
  return [found, next]
}

socket.on('data', (data) => {
  received = Buffer.concat([received, data])
  for (let reply = parse(0); received.length && reply !== undefined; reply = received.length ? parse(0) : undefined) {
    received = received.subarray(reply[1])
    const { resolve, reject } = waiting.shift()
    reply[0] instanceof Error ? reject(reply[0]) : resolve(reply[0])
  }
})

const redis = { hget: (key, field) => command('HGET', key, field) }
if (kind === 'get') redis.get = (key) => command('GET', key)
else redis[kind] = (keys) => command('MGET', ...keys)

async function answer({ namespace, method, arguments: given }) {
  try {
    const found = method === 'recs'
      ? await recs(redis, given.user_id, { segment: given.segment ?? null, namespace })
      : await details(redis, given.item_ids, { namespace })
    return { found }
  } catch (error) {
    if (error instanceof UnknownVersion) return { error: 'unknown_version' }
    return { error: error instanceof StateError ? 'not_a_list' : String(error) }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line))
  const exact = (_, value) => (typeof value === 'bigint' ? { bigint: String(value) } : value)
  process.stdout.write(`${JSON.stringify(said, exact)}\n`)
}
socket.end()
