"""Readers of the view, for threads and for coroutines."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

from app.client import requests
from app.client.requests import ItemState, Request
from app.store.access import RedisAccess
from app.store.clients import for_coroutines, for_threads
from tables.keys import Keys
from tables.list_json import RecommendationList

T = TypeVar("T")


class Reader:
    """Reads what the workers have published; one round trip a call. Safe to share between threads.

    Every method raises `ServiceError` if Redis does not answer in time. In a cluster it is the node of the key that
    counts; `recs` asks for its rungs side by side, and one that is away counts if no rung above it has a list.
    The least ACL rule: `app.store.acl.reader_acl`.

    Parameters
    ----------
    redis
        `redis://[user:password@]host:port/db`, `rediss://` for TLS, `unix://` for a socket, `redis+cluster://` or
        `redis+sentinel://`; or `redis_access(url, ...)` of `app.store.access`, with certificates and login.
    namespace
        The namespace of the workers.
    key_prefix
        What stands before the namespace in their keys.
    timeout_s
        Longest wait for connecting and for a reply.

    Examples
    --------
    >>> with Reader("redis://localhost:6379/0") as reader:  # doctest: +SKIP
    ...     found = reader.recs("u42", segment="f-25-34")
    """

    def __init__(
        self, redis: RedisAccess | str, namespace: str = "", *, key_prefix: str = "", timeout_s: float = 0.5
    ) -> None:
        self._keys = Keys(namespace, key_prefix)
        self._redis = for_threads(redis, timeout_s=timeout_s)

    def recs(self, user_id: str, segment: str | None = None) -> RecommendationList | None:
        """The user's list, else the segment's, else the default list; None if there is none of them.

        Raises
        ------
        UnknownVersion
            If the list was written in a format that this release cannot read.
        StateError
            If what is stored there is no list.
        """
        return self._ask(requests.recs(self._keys, user_id, segment))

    def similar(self, item_id: str, k: int = 10) -> list[tuple[str, float]]:
        """The k items most similar to an item, with their similarity, by (-similarity, item_id).

        Empty if there are none in Redis; `item_state` tells why as far as can be known.
        """
        return self._ask(requests.best(self._keys.item_similarity(item_id), k))

    def trending(self, window: str, category: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """The k items trending in a window (`1h`, `1d`, `7d`), with their score, by (-score, item_id)."""
        return self._ask(requests.best(self._keys.trending(window, category), k))

    def user_features(self, user_id: str) -> dict[str, str]:
        """A user's features, as text; empty for a user not seen."""
        return self._ask(requests.fields(self._keys.user_features(user_id)))

    def item_features(self, item_id: str) -> dict[str, str]:
        """An item's features, as text; empty for an item not seen."""
        return self._ask(requests.fields(self._keys.item_features(item_id)))

    def item_state(self, item_id: str) -> ItemState:
        """What Redis holds of an item, to tell why `similar` is empty.

        `published`: its features are there, so it is known; nobody has dealt with it and another item yet that may be
        offered, or its neighbours were lost and not yet written anew. `missing`: others are there and it is not: no
        event of it was folded, or its turn to be written has not come. `empty`: no worker has written in this
        namespace, or Redis was emptied.
        """
        return self._ask(requests.item_state(self._keys, item_id))

    def titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        """The titles of items, in one round trip; items without a title are left out."""
        return self._ask(requests.titles(self._keys, item_ids))

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _ask(self, request: Request[T]) -> T:
        return request.answer(self._redis.run_each(request.commands))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncReader:
    """`Reader` for the coroutines of one event loop; same methods, same rules, each to be awaited."""

    def __init__(
        self, redis: RedisAccess | str, namespace: str = "", *, key_prefix: str = "", timeout_s: float = 0.5
    ) -> None:
        self._keys = Keys(namespace, key_prefix)
        self._redis = for_coroutines(
            redis, probe=self._keys.default_list(), timeout_s=timeout_s, deadline_s=2 * timeout_s
        )

    async def recs(self, user_id: str, segment: str | None = None) -> RecommendationList | None:
        """See `Reader.recs`."""
        return await self._ask(requests.recs(self._keys, user_id, segment))

    async def similar(self, item_id: str, k: int = 10) -> list[tuple[str, float]]:
        """See `Reader.similar`."""
        return await self._ask(requests.best(self._keys.item_similarity(item_id), k))

    async def trending(self, window: str, category: str | None = None, k: int = 10) -> list[tuple[str, float]]:
        """See `Reader.trending`."""
        return await self._ask(requests.best(self._keys.trending(window, category), k))

    async def user_features(self, user_id: str) -> dict[str, str]:
        """See `Reader.user_features`."""
        return await self._ask(requests.fields(self._keys.user_features(user_id)))

    async def item_features(self, item_id: str) -> dict[str, str]:
        """See `Reader.item_features`."""
        return await self._ask(requests.fields(self._keys.item_features(item_id)))

    async def item_state(self, item_id: str) -> ItemState:
        """See `Reader.item_state`."""
        return await self._ask(requests.item_state(self._keys, item_id))

    async def titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        """See `Reader.titles`."""
        return await self._ask(requests.titles(self._keys, item_ids))

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.close()

    async def _ask(self, request: Request[T]) -> T:
        return request.answer(await self._redis.run_each(request.commands))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
