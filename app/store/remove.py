"""Removing everything that a namespace has in Redis."""

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.store.errors import masked
from models.errors import ServiceError
from tables.keys import Keys

KEYS_PER_CALL = 500


async def remove_keys(url: str, keys: Keys) -> int:
    """Delete all keys of a namespace; returns how many.

    Raises
    ------
    ValueError
        For the empty namespace, whose keys cannot be told from others'.
    ServiceError
        If Redis failed; what is left can be deleted later.
    """
    if not keys.namespace:
        raise ValueError("only the keys of a namespace can be removed as a whole")
    redis = Redis.from_url(url, protocol=2)
    n = 0
    try:
        found = [key async for key in redis.scan_iter(match=f"{keys.own_prefix}*", count=1000)]
        for start in range(0, len(found), KEYS_PER_CALL):
            n += await redis.unlink(*found[start : start + KEYS_PER_CALL])
    except RedisError as error:
        raise ServiceError(
            f"Redis at {masked(url)} does not remove the keys of {keys.namespace}: {error}. Delete those that "
            f"begin with {keys.own_prefix} when it is back."
        ) from error
    finally:
        await redis.aclose()
    return n
