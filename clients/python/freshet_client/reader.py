"""Readers of what Freshet publishes, for threads and for coroutines."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar

from freshet_client import requests
from freshet_client.connect import for_coroutines, for_threads
from freshet_client.lists import RecommendationList
from freshet_client.names import Keys
from freshet_client.requests import ItemDetails, ItemState, Request

T = TypeVar("T")


class Reader:
    """Reads lists, trends and features; one round trip a call. Safe to share between threads.

    Every method raises `ServiceError` if Redis does not answer in time. In a cluster `recs` asks for its rungs side by
    side, and one whose node is away counts only if no rung above it has a list.

    Parameters
    ----------
    redis
        `redis://[user:password@]host:port/db`, `rediss://` for TLS, `unix://` for a socket, or
        `redis+cluster://host:port,host:port`.
    namespace
        `FRESHET_NAMESPACE` of the workers.
    key_prefix
        Their `FRESHET_KEY_PREFIX`.
    timeout_s
        Longest wait for connecting and for a reply.

    Raises
    ------
    SettingsError
        If an argument cannot be used.

    Examples
    --------
    >>> with Reader("redis://localhost:6379/0") as reader:  # doctest: +SKIP
    ...     found = reader.recs("u42", segment="f-25-34")
    ...     shown = reader.details(found.item_ids) if found else {}
    """

    def __init__(self, redis: str, namespace: str = "", *, key_prefix: str = "", timeout_s: float = 0.5) -> None:
        self._keys = Keys(namespace, key_prefix)
        self._redis = for_threads(redis, timeout_s)

    def recs(self, user_id: str, segment: str | None = None) -> RecommendationList | None:
        """The user's list, else the segment's, else the default list; None if there is none of them.

        Raises
        ------
        UnknownVersion
            If the list was written in a format that this client cannot read.
        StateError
            If what is stored there is no list.
        """
        return self._ask(requests.recs(self._keys, user_id, segment))

    def details(self, item_ids: Sequence[str]) -> dict[str, ItemDetails]:
        """Titles and categories of items; items without either are left out.

        Raises
        ------
        StateError
            If an item's categories are no array.
        """
        return self._ask(requests.details(self._keys, item_ids))

    def titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        """The titles of items; items without a title are left out."""
        return self._ask(requests.titles(self._keys, item_ids))

    def similar(self, item_id: str, k: int = 10) -> list[tuple[str, float]]:
        """The k items most similar to an item, with their similarity, by (-similarity, item_id)."""
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

        `published`: it is known, and has no neighbours yet. `missing`: others are there and it is not. `empty`: no
        worker has written in this namespace, or Redis was emptied.
        """
        return self._ask(requests.item_state(self._keys, item_id))

    def close(self) -> None:
        """Close all connections."""
        self._redis.close()

    def _ask(self, request: Request[T]) -> T:
        return request.answer(self._redis.run(request.commands))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncReader:
    """`Reader` for the coroutines of one event loop; same methods, same rules, each to be awaited."""

    def __init__(self, redis: str, namespace: str = "", *, key_prefix: str = "", timeout_s: float = 0.5) -> None:
        self._keys = Keys(namespace, key_prefix)
        self._redis = for_coroutines(redis, timeout_s)

    async def recs(self, user_id: str, segment: str | None = None) -> RecommendationList | None:
        """See `Reader.recs`."""
        return await self._ask(requests.recs(self._keys, user_id, segment))

    async def details(self, item_ids: Sequence[str]) -> dict[str, ItemDetails]:
        """See `Reader.details`."""
        return await self._ask(requests.details(self._keys, item_ids))

    async def titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        """See `Reader.titles`."""
        return await self._ask(requests.titles(self._keys, item_ids))

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

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.close()

    async def _ask(self, request: Request[T]) -> T:
        return request.answer(await self._redis.run(request.commands))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
