"""The client that fits what is there: one server, or a cluster."""

from collections.abc import Callable

from app.store.access import RedisAccess, redis_access
from app.store.blocking_cluster import BlockingCluster
from app.store.cluster import AsyncCluster
from app.store.connect import AsyncConnection, Connection
from app.store.server import OneServer


def for_threads(access: RedisAccess | str, *, timeout_s: float) -> Connection | BlockingCluster:
    """A client whose calls block; safe to share between threads."""
    access = redis_access(access) if isinstance(access, str) else access
    kind = BlockingCluster if access.mode == "cluster" else Connection
    return kind(access, timeout_s=timeout_s)


def for_coroutines(
    access: RedisAccess | str, *, probe: str, timeout_s: float, deadline_s: float
) -> AsyncConnection | AsyncCluster:
    """A client for the coroutines of one event loop that calls no functions of ours.

    Keys that begin with `probe` may be read.
    """
    access = redis_access(access) if isinstance(access, str) else access
    if access.mode != "cluster":
        return AsyncConnection(access, timeout_s=timeout_s, deadline_s=deadline_s)
    return AsyncCluster(access, probe=probe, timeout_s=timeout_s, deadline_s=deadline_s)


def for_functions(
    access: RedisAccess | str, *, probe: str, timeout_s: float, deadline_s: float, emptied: Callable[[], None]
) -> OneServer | AsyncCluster:
    """A client for the coroutines of one event loop that calls our functions, and loads them where they are missing."""
    access = redis_access(access) if isinstance(access, str) else access
    if access.mode == "cluster":
        return AsyncCluster(access, probe=probe, timeout_s=timeout_s, deadline_s=deadline_s, emptied=emptied)
    return OneServer(AsyncConnection(access, timeout_s=timeout_s, deadline_s=deadline_s), emptied)
