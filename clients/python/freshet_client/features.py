"""What is known of users: features out of Redis, profiles into Kafka."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import orjson

from freshet_client.events import profile_record
from freshet_client.names import topic
from freshet_client.producer import Position, Producer
from freshet_client.reader import AsyncReader


class FeatureStore:
    """Reads users' features and writes their profiles; for the coroutines of one event loop.

    Features are counted by the workers, out of events: nobody else writes them. What else is known of a user, such as
    age or the answers of the onboarding, is a profile in topic `users`.

    Parameters
    ----------
    redis, key_prefix
        As for `Reader`.
    broker, topic_prefix, timeout_s, kafka
        As for `EventCollector`.
    users_topic
        `FRESHET_USERS_TOPIC` of the workers, if they have one: the topic's whole name.

    Examples
    --------
    >>> async def main():
    ...     async with FeatureStore("redis://localhost:6379/0", "localhost:9092") as store:
    ...         await store.update_user_features("u42", {"age": 31, "location": "Graz"})
    ...         features = await store.get_user_features("u42")
    """

    def __init__(
        self,
        redis: str,
        broker: str,
        namespace: str = "",
        *,
        key_prefix: str = "",
        topic_prefix: str = "",
        users_topic: str = "",
        timeout_s: float = 10.0,
        **kafka: Any,
    ) -> None:
        self._reader = AsyncReader(redis, namespace, key_prefix=key_prefix)
        self._topic = users_topic or topic("users", namespace, topic_prefix)
        self._producer = Producer(broker, timeout_s, kafka)

    async def get_user_features(self, user_id: str) -> dict[str, Any]:
        """A user's features: counts as numbers, `recent_items` as a list; empty for a user not seen."""
        found = await self._reader.user_features(user_id)
        return {name: orjson.loads(text) for name, text in found.items()}

    async def update_user_features(self, user_id: str | int, features: Mapping[str, Any] | None) -> Position:
        """Replace a user's profile, whole; None deletes it. Returns where it lies when all replicas have it.

        Parameters
        ----------
        features
            `age`, `gender`, `location`, `preferences`, and `attributes` for whatever else is known.

        Raises
        ------
        InvalidEvent
            If the workers would not take it.
        ServiceError
            If Kafka does not say that it has it.
        """
        key, value = profile_record(user_id, features)
        return await self._producer.send(self._topic, key, value)

    async def close(self) -> None:
        """Close all connections."""
        await self._producer.close()
        await self._reader.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
