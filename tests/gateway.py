"""The gateway over a Kafka and a Redis of the test's own, in this process and without sockets."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from starlette.testclient import TestClient

from app.gateway.around import Answered
from app.gateway.create import create_app
from app.gateway.sender import Outcome, Position, Record
from app.gateway.view import View
from app.settings import Settings
from app.store.connect import Command
from models.errors import ServiceError
from tables.keys import Keys

HERE = ("127.0.0.1", 50_000)


class SentRecords:
    """Keeps what is sent, all in partition 0.

    Attributes
    ----------
    down
        Why nothing is taken at all; None: it is.
    silent_from
        Records from this number on are not acknowledged.
    """

    def __init__(self) -> None:
        self.records: list[tuple[str, Record]] = []
        self.down: str | None = None
        self.silent_from = 1_000_000

    async def send(self, topic: str, records: Sequence[Record], within_s: float) -> list[Outcome]:
        if self.down is not None:
            raise ServiceError(self.down)
        first = len(self.records)
        self.records += [(topic, record) for record in records]
        return [Position(0, n) if n < self.silent_from else None for n in range(first, first + len(records))]

    async def refusal(self) -> str | None:
        return self.down


class StoredKeys:
    """Answers from a dict: bytes are strings, dicts are hashes, lists are sorted sets (member, score).

    A `ServiceError` is the reply of a node that is away.
    """

    def __init__(self, stored: Mapping[str, Any]) -> None:
        self.stored = dict(stored)
        self.n_pipelines = 0
        self.down = False

    async def run_each(self, commands: Sequence[Command]) -> list[Any]:
        if self.down:
            raise ServiceError("Redis at redis://secret:1 is away")
        self.n_pipelines += 1
        return [self._reply(*command) for command in commands]

    def _reply(self, name: Any, key: Any, *rest: Any) -> Any:
        found = self.stored.get(key.decode())
        if isinstance(found, ServiceError):
            return found
        if name == "HGET":
            return (found or {}).get(rest[0])
        if name == "HGETALL":
            return {field.encode(): value for field, value in (found or {}).items()}
        if name == "ZRANGE":
            return [part for member, score in found or [] for part in (member.encode(), str(score).encode())]
        return found

    async def close(self) -> None:
        pass


def list_bytes(user_id: str | None, offset: int, items: Sequence[str], **changes: Any) -> bytes:
    """A list as workers write it."""
    stored = {
        "v": 1, "version": f"000000-{offset:016d}", "user_id": user_id, "list_id": f"l{offset}", "generated_at_ms": 1,
        "source": {"topic": "user_events", "partition": 0, "offset": offset}, "model": "m", "variant": "default",
        "items": [{"id": item, "score": 1 / n, "source": "history", "because": []} for n, item in enumerate(items, 1)],
    }  # fmt: skip
    return orjson.dumps({**stored, **changes})


class Gateway:
    """A gateway with its client, and what lies behind it."""

    def __init__(self, client: TestClient, sent: SentRecords, redis: StoredKeys, log: list[Answered]) -> None:
        self.client = client
        self.sent = sent
        self.redis = redis
        self.log = log


@contextmanager
def gateway(
    stored: Mapping[str, Any] | None = None, *, client: tuple[str, int] = HERE, **changes: Any
) -> Iterator[Gateway]:
    """A gateway with some settings changed, and some keys in Redis."""
    sent, redis, log = SentRecords(), StoredKeys(stored or {}), list[Answered]()
    app = create_app(Settings(**changes), sender=sent, view=View(redis, Keys()), on_answer=log.append)
    with TestClient(app, base_url="http://127.0.0.1", client=client, raise_server_exceptions=False) as http:
        yield Gateway(http, sent, redis, log)
