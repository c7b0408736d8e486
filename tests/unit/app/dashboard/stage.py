"""A dashboard over workers, a log, a Redis and dead letters of the test's own, in this process and without sockets."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.testclient import TestClient

from app.dashboard.create import Dashboard
from app.dashboard.letters import Redrive, Summary
from app.dashboard.log import Event, LogState, Range
from app.dashboard.workers import Worker
from app.gateway.sender import Position
from app.gateway.view import View
from app.metrics.read import Samples
from app.settings import Settings
from tables.keys import Keys
from tests.gateway import SentRecords, StoredKeys, list_bytes

TOKEN = "a-token-of-twenty-four-c"
URL = "http://127.0.0.1:8500"


class GivenWorkers:
    """Says what it is told to."""

    def __init__(self, workers: Sequence[Worker] = ()) -> None:
        self.workers = list(workers)

    async def read(self) -> list[Worker]:
        return list(self.workers)

    async def close(self) -> None:
        pass


class GivenLog:
    """Holds what it is told to."""

    def __init__(self, *events: Event) -> None:
        self.state = LogState(error=None, ranges={0: Range(0, 90, 80)}, group_state="Stable", members=("w at h",))
        self.came: Callable[[], None] = lambda: None
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """Let an event come."""
        self.state.events.append(event)
        self.state.n_seen += 1
        self.state.types[event.event_type or ""] += 1
        self.came()

    async def run(self, on_events: Callable[[], None]) -> None:
        self.came = on_events
        await asyncio.Event().wait()


class GivenLetters:
    """Holds a summary, and notes what was to be sent again."""

    def __init__(self, summary: Summary | None = None) -> None:
        self.found = summary or Summary()
        self.last: Redrive | None = None

    async def summary(self) -> Summary:
        return self.found

    def begin(self, reason: str | None) -> bool:
        if self.last is not None and not self.last.is_done:
            return False
        self.last = Redrive(reason)
        return True

    async def stop(self) -> None:
        pass


class Answering(SentRecords):
    """Takes records, and has the user's list answer each at once."""

    def __init__(self, redis: StoredKeys) -> None:
        super().__init__()
        self._redis = redis

    async def send(self, topic: str, records: Sequence[Any], within_s: float) -> list[Any]:
        outcomes = await super().send(topic, records, within_s)
        for record, position in zip(records, outcomes, strict=True):
            if isinstance(position, Position):
                key = f"recs:user:{record.key.decode()}"
                self._redis.stored[key] = list_bytes(record.key.decode(), position.offset, ["i8", "i9"])
        return outcomes


class Staged:
    """A dashboard and a browser that has its cookie."""

    def __init__(self, client: TestClient, dashboard: Dashboard, **parts: Any) -> None:
        self.client = client
        self.dashboard = dashboard
        self.workers: GivenWorkers = parts["workers"]
        self.log: GivenLog = parts["log"]
        self.redis: StoredKeys = parts["redis"]
        self.sent: SentRecords = parts["sent"]
        self.letters: GivenLetters = parts["letters"]

    def log_in(self) -> None:
        """Give the token."""
        answer = self.client.post("/login", data={"token": TOKEN}, follow_redirects=False)
        assert answer.status_code == 303

    def page(self, path: str) -> str:
        """A page's HTML."""
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    @property
    def form(self) -> str:
        """What forms hold that change something."""
        return self.page("/").partition('name="form" value="')[2].partition('"')[0]

    def post(self, path: str, **fields: str) -> Any:
        """Send a form as a page of ours would."""
        headers = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(path, data={"form": self.form, **fields}, headers=headers, follow_redirects=False)


@contextmanager
def staged(
    stored: Mapping[str, Any] | None = None,
    *,
    workers: Sequence[Worker] = (),
    events: Sequence[Event] = (),
    letters: Summary | None = None,
    log_in: bool = True,
    kafka_error: str | None = None,
    **changes: Any,
) -> Iterator[Staged]:
    """A dashboard with some settings changed."""
    redis = StoredKeys(stored or {})
    given, log, held, sent = GivenWorkers(workers), GivenLog(*events), GivenLetters(letters), Answering(redis)
    log.state.error = kafka_error
    dashboard = Dashboard(
        Settings(**changes), TOKEN, workers=given, log=log, view=View(redis, Keys()), sender=sent, letters=held
    )
    with TestClient(dashboard.app, base_url=URL) as client:
        stage = Staged(client, dashboard, workers=given, log=log, redis=redis, sent=sent, letters=held)
        if log_in:
            stage.log_in()
        yield stage


def worker(address: str = "w1:9108", **samples: Any) -> Worker:
    """A worker that serves; numbers stand for a sample without labels, dicts for those by label."""
    found: Samples = {"freshet_ready": {(): 1.0}, "freshet_redis_up": {(): 1.0}, "freshet_partitions": {(): 1.0}}
    for name, value in samples.items():
        by_label = value if isinstance(value, dict) else {(): float(value)}
        found[f"freshet_{name}"] = {
            label if isinstance(label, tuple) else (str(label),): float(n) for label, n in by_label.items()
        }
    return Worker(address, found)


def event(user_id: str = "u1", item_id: str = "i1", event_type: str | None = "click", offset: int = 1) -> Event:
    """An event that has just come."""
    return Event(0, offset, int(time.time() * 1000), user_id, item_id, event_type, None)
