"""The traffic of `freshet bench freshness`: made from a seed, sent at scheduled times whatever happens, some probed."""

import asyncio
from asyncio import Future, Task
from collections.abc import Callable
from itertools import accumulate
from random import Random
from time import monotonic, time
from typing import NamedTuple

import orjson

from app.bench.child import Child
from app.bench.workload import TYPES, Sent
from app.broker import Broker
from app.client import AsyncReader
from app.replay.send import log_producer
from models.errors import ServiceError

N_USERS = 5000
N_ITEMS = 2000
ITEM_EXPONENT = 0.8
PROBES_PER_S = 50
CHOSEN_AHEAD_S = 0.015


class Probe(NamedTuple):
    """A click on an item of a list as it was just before."""

    user_id: str
    item_id: str


class Traffic:
    """Events of 5,000 users, each as likely, on items some far more popular than others; all of them happen now.

    Parameters
    ----------
    seed
        Equal seeds give equal events, but for their times.
    n_items
        Size of the catalogue.
    """

    def __init__(self, seed: int, n_items: int = N_ITEMS) -> None:
        self.random = Random(seed)
        self._items = [f"i{number}" for number in range(n_items)]
        self._popularity = list(accumulate((number + 1) ** -ITEM_EXPONENT for number in range(n_items)))
        self._types, self._shares = list(TYPES), list(accumulate(TYPES.values()))

    def user(self) -> str:
        """Anybody."""
        return f"u{self.random.randrange(N_USERS)}"

    def event(self, user_id: str) -> Sent:
        """Something that a user does."""
        (item_id,) = self.random.choices(self._items, cum_weights=self._popularity)
        (event_type,) = self.random.choices(self._types, cum_weights=self._shares)
        fields: dict[str, object] = {"value": self.random.randint(1, 5)} if event_type == "rating" else {}
        return sent(user_id, item_id, event_type, **fields)

    def preloaded(self, n: int) -> list[Sent]:
        """The first events: everybody has one before anybody has two."""
        users = [f"u{number % N_USERS}" for number in range(n)]
        return [self.event(user_id) for user_id in users]

    def touching_all(self) -> list[Sent]:
        """A view of every item of the catalogue, each by anybody, in random order."""
        return [sent(self.user(), item_id, "view") for item_id in self.random.sample(self._items, len(self._items))]


def sent(user_id: str, item_id: str, event_type: str, **more: object) -> Sent:
    """An event of now."""
    fields = {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": int(time() * 1000)}
    return Sent(user_id.encode(), orjson.dumps({**fields, **more}))


class OpenLoop:
    """Sends one event every `1 / rate` seconds; one that is late is sent at once and does not delay the next ones.

    About 50 a second, spread evenly, are probes: a click on an item that stood in the user's list 15 ms before. A
    probe says in its context when it was due (s of the monotonic clock, which all processes share), and the prober is
    told of it. Where a user has no list yet an ordinary event goes out instead.

    Parameters
    ----------
    rate
        Events a second.
    probed_from
        Number of the first event that may be a probe: those before warm everything up.
    form
        How each event is written, without a key; None: plain, and its acknowledgement says where a probe lies.
    """

    def __init__(
        self,
        traffic: Traffic,
        reader: AsyncReader,
        prober: Child,
        rate: float,
        probed_from: int,
        form: Callable[[Sent], bytes] | None = None,
    ) -> None:
        self.n_sent = 0
        self.n_probed = 0
        self.probes: dict[float, int] = {}  # when each was due: its number
        self._form = form
        self._traffic = traffic
        self._reader = reader
        self._prober = prober
        self._rate = rate
        self._probed_from = probed_from
        self._step = max(1, round(rate / PROBES_PER_S))
        self._lead = int(CHOSEN_AHEAD_S * rate) + 1
        self._chosen: dict[int, Task[Probe | None]] = {}
        self._acks: set[Future[object]] = set()
        self._failure: BaseException | None = None
        self._n_partitions = 1

    async def run(self, broker: Broker, partitioner: str, topic: str, n: int) -> None:
        """Send so many events; all are acknowledged when this returns.

        Raises
        ------
        ServiceError
            If the broker refused one.
        """
        async with log_producer(broker, partitioner, linger_ms=0) as producer:
            await producer.client.force_metadata_update()
            self._n_partitions = len(await producer.partitions_for(topic))
            started = monotonic()
            for number in range(n):
                due = started + number / self._rate
                self._choose(number + self._lead, n)
                if due > monotonic():
                    await asyncio.sleep(due - monotonic())
                probe = self._choice(number)
                record = self._traffic.event(self._traffic.user())
                if probe is not None:
                    record = sent(*probe, "click", context={"due": due})
                    self.probes[due] = number
                    self._prober.tell(number=number, user_id=probe.user_id, item_id=probe.item_id, due=due)
                    self.n_probed += 1
                if self._form is None:
                    ack = await producer.send(topic, record.value, key=record.key)
                    self._watch(ack, None if probe is None else number)
                else:
                    ack = await producer.send(topic, self._form(record), partition=number % self._n_partitions)
                    self._watch(ack, None)
                self.n_sent += 1
        if self._failure is not None:
            raise ServiceError(f"an event could not be sent to {topic}: {self._failure!r}.")

    def _choose(self, number: int, n: int) -> None:
        """Begin to look for what to click on, if this one is to be a probe."""
        if self._probed_from <= number < n and number % self._step == 0:
            self._chosen[number] = asyncio.create_task(self._click(self._traffic.user()))

    async def _click(self, user_id: str) -> Probe | None:
        found = await self._reader.recs(user_id)
        if found is None or found.user_id is None or not found.items:
            return None
        return Probe(user_id, self._traffic.random.choice(found.items).item_id)

    def _choice(self, number: int) -> Probe | None:
        task = self._chosen.pop(number, None)
        if task is None:
            return None
        if task.done():
            return task.result()
        task.cancel()
        return None

    def _watch(self, ack: "Future[object]", number: int | None) -> None:
        """Tell the prober where a probe lies once that is known; remember what went wrong."""

        def acknowledged(ack: "Future[object]") -> None:
            self._acks.discard(ack)
            if ack.cancelled() or ack.exception() is not None:
                self._failure = self._failure or (None if ack.cancelled() else ack.exception())
            elif number is not None:
                self._prober.tell(number=number, offset=ack.result().offset)  # type: ignore[attr-defined]

        self._acks.add(ack)
        ack.add_done_callback(acknowledged)
