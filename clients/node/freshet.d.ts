/** What a client of Redis has to have: `get`, or `mGet` or `mget`. Those of `redis` and `ioredis` fit. */
export interface ListRedis {
  get?(key: string): Promise<unknown>
  mGet?(keys: string[]): Promise<unknown[]>
  mget?(keys: string[]): Promise<unknown[]>
}

/** For `details`: `hGet` or `hget`. */
export interface HashRedis {
  hGet?(key: string, field: string): Promise<string | null | undefined>
  hget?(key: string, field: string): Promise<string | null | undefined>
}

export interface Place {
  /** FRESHET_NAMESPACE of the workers. */
  namespace?: string
  /** Their FRESHET_KEY_PREFIX. */
  keyPrefix?: string
}

export interface ListItem {
  id: string
  score: number
  /** Who proposed it. */
  source: string
  /** The user's own items that led to it. */
  because: string[]
  /** Fields of the catalogue, where the workers' settings name some. */
  fields?: Record<string, unknown>
}

export interface RecommendationList {
  /** Where on the ladder it was found. */
  rung: 'user' | 'segment' | 'default'
  /** A later list of the same key has a greater one, as text. */
  version: string
  user_id: string | null
  /** Goes back in the context of events that the list led to. */
  list_id: string
  generated_at_ms: number
  /** The event that it was made from; an offset above 2^53 is a bigint. */
  source: { topic: string; partition: number; offset: number | bigint }
  model: string
  variant: string
  /** How many of its items the user's own items led to; null in lists of releases that did not say so. */
  n_own: number | null
  items: ListItem[]
}

export interface ItemDetails {
  title: string | null
  categories: string[]
}

/** What is stored in Redis is no list. */
export class StateError extends Error {}

/** A list of another format than this client reads. */
export class UnknownVersion extends StateError {}

/** The user's list, else the segment's if one is named, else the default list; null if there is none of them. */
export function recs(
  redis: ListRedis,
  userId: string,
  options?: Place & { segment?: string | null },
): Promise<RecommendationList | null>

/** Titles and categories of items, by item; those without either are left out. */
export function details(redis: HashRedis, itemIds: string[], options?: Place): Promise<Record<string, ItemDetails>>

/** A stored list as an object; unknown fields are ignored. */
export function decodeList(text: string): Omit<RecommendationList, 'rung'>
