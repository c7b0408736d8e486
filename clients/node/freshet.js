// Reads Freshet's recommendation lists out of Redis. One file, no dependency: it asks through the client of Redis that
// the application has, e.g. of the packages `redis` or `ioredis`.

const FORMAT = 1
const VERSION = /^\d{6}-\d{16}(-\d{8})?$/
const SOURCE_OFFSET = /"source"\s*:\s*\{[^{}]*?"offset"\s*:\s*(\d+)/

/** What is stored in Redis is no list. */
export class StateError extends Error {
  name = 'StateError'
}

/** A list of another format than this client reads. */
export class UnknownVersion extends StateError {
  name = 'UnknownVersion'
}

/**
 * The user's list, else the segment's if one is named, else the default list; null if there is none of them.
 * The rungs are asked for side by side; one that failed counts only if no rung above it has a list.
 */
export async function recs(redis, userId, { segment = null, namespace = '', keyPrefix = '' } = {}) {
  const own = prefix(namespace, keyPrefix)
  const rungs = [['user', `${own}recs:user:${userId}`], ['default', `${own}recs:default`]]
  if (segment !== null) rungs.splice(1, 0, ['segment', `${own}recs:segment:${segment}`])
  const replies = await gets(redis, rungs.map(([, key]) => key))
  for (const [place, reply] of replies.entries()) {
    if (reply.status === 'rejected') throw reply.reason
    if (reply.value !== null) return { rung: rungs[place][0], ...decodeList(String(reply.value)) }
  }
  return null
}

/** Titles and categories of items, by item; those without either are left out. */
export async function details(redis, itemIds, { namespace = '', keyPrefix = '' } = {}) {
  const own = prefix(namespace, keyPrefix)
  const hget = (redis.hGet ?? redis.hget).bind(redis)
  const field = (itemId, name) => hget(`${own}item_features:${itemId}`, name).catch(() => null)
  const found = await Promise.all(itemIds.map(async (itemId) => {
    const [title, categories] = await Promise.all([field(itemId, 'title'), field(itemId, 'categories')])
    return [itemId, { title: title ?? null, categories: categories ? JSON.parse(categories) : [] }]
  }))
  return Object.fromEntries(found.filter(([, { title, categories }]) => title !== null || categories.length))
}

/** A stored list as an object; unknown fields are ignored. */
export function decodeList(text) {
  try {
    const value = JSON.parse(text)
    if (!('v' in value)) throw new TypeError('it has no "v"')
    if (value.v !== FORMAT) {
      throw new UnknownVersion(`A recommendation list has "v": ${value.v}, and this client reads ${FORMAT}. ` +
        'Use the release of the client that belongs to the workers.')
    }
    if (!VERSION.test(value.version)) throw new TypeError(`version ${value.version}`)
    const { topic, partition, offset } = value.source
    return {
      version: value.version,
      user_id: value.user_id,
      list_id: value.list_id,
      generated_at_ms: value.generated_at_ms,
      source: { topic, partition, offset: Number.isSafeInteger(offset) ? offset : BigInt(SOURCE_OFFSET.exec(text)[1]) },
      model: value.model,
      variant: value.variant,
      n_own: value.n_own ?? null,
      items: value.items.map(({ id, score, source, because, fields }) =>
        ({ id, score, source, because, ...(fields === undefined ? {} : { fields }) })),
    }
  } catch (error) {
    if (error instanceof UnknownVersion) throw error
    throw new StateError(`No recommendation list: ${error.message} in ${text.slice(0, 80)}. ` +
      'Delete the key; its writer makes it anew.')
  }
}

// A GET for each key: those of one turn share a round trip in both packages, each finds its own node in a cluster, and
// the least rights of readers permit them. MGET is for clients that have nothing else.
async function gets(redis, keys) {
  if (redis.get) return Promise.allSettled(keys.map((key) => redis.get(key)))
  const values = await (redis.mGet ?? redis.mget).call(redis, keys)
  return values.map((value) => ({ status: 'fulfilled', value }))
}

function prefix(namespace, keyPrefix) {
  return namespace ? `${keyPrefix}${namespace}:` : keyPrefix
}
