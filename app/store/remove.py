"""Removing everything that a namespace has in Redis."""

from app.store.access import RedisAccess
from app.store.clients import for_coroutines
from app.store.connect import AsyncConnection
from models.errors import ServiceError
from tables.keys import Keys

KEYS_PER_CALL = 500
TIMEOUT_S = 5.0


async def remove_keys(access: RedisAccess | str, keys: Keys) -> int:
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
    redis = for_coroutines(access, probe=keys.default_list(), timeout_s=TIMEOUT_S, deadline_s=2 * TIMEOUT_S)
    try:
        return sum([await _remove(server, keys.own_prefix) for server in await redis.servers()])
    except ServiceError as error:
        raise ServiceError(
            f"{error} The keys of {keys.namespace} are not removed: delete those that begin with {keys.own_prefix} "
            "when it is back."
        ) from error
    finally:
        await redis.close()


async def _remove(server: AsyncConnection, prefix: str) -> int:
    """Delete the keys of one server that begin with a prefix, one by one: in a cluster they lie in many slots."""
    found: list[bytes] = []
    cursor = 0
    while True:
        ((cursor, some),) = await server.run([("SCAN", cursor, "MATCH", f"{prefix}*", "COUNT", 1000)])
        found += some
        if not cursor:
            break
    n = 0
    for start in range(0, len(found), KEYS_PER_CALL):
        n += sum(await server.run([("UNLINK", key) for key in found[start : start + KEYS_PER_CALL]]))
    return n
