"""The places of all inputs, read back from where the intake stores them."""

import asyncio
from itertools import count

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from app.broker import Broker
from app.kafka import reader, start_client
from tables.intake import Place

PARTITION = 0  # all in one: it stays one, whoever adds partitions
POLL_MS = 100


class Places:
    """Reads places for several inputs at once: whoever asks gets what was committed before asking."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self._broker = broker
        self._topic = topic
        self._lock = asyncio.Lock()
        self._turns = count()
        self._began = -1
        self._known: dict[bytes, Place] = {}

    async def glance(self) -> dict[bytes, Place]:
        """Every input's place as far as readers see it now: what lies behind an open transaction is not among them.

        For those who have not fenced anybody yet: a transaction that a dead worker left open ends when the next owner
        of its input starts, and so must not be waited for before.
        """
        return await read_places(self._broker, self._topic, to_the_end=False)

    async def read(self) -> dict[bytes, Place]:
        """Every input's place as committed by now."""
        asked = next(self._turns)
        async with self._lock:
            if self._began < asked:
                self._began = next(self._turns)
                self._known = await read_places(self._broker, self._topic)
            return self._known


async def read_places(broker: Broker, topic: str, *, to_the_end: bool = True) -> dict[bytes, Place]:
    """Every input's place as committed by now.

    What is committed may lie behind what others have not committed yet, so the end that is read up to is that of the
    log itself: an open transaction of another input is waited for. It ends within moments, or with its timeout.

    Parameters
    ----------
    to_the_end
        False: no further than where the first open transaction begins, without waiting.
    """
    tp = TopicPartition(topic, PARTITION)
    places: dict[bytes, Place] = {}
    ends = AIOKafkaConsumer(**broker.client(), enable_auto_commit=False)
    committed = reader(broker)
    try:
        await start_client(ends, broker)
        await start_client(committed, broker)
        end = (await (ends if to_the_end else committed).end_offsets([tp]))[tp]
        committed.assign([tp])
        while await committed.position(tp) < end:
            fetched = await committed.getmany(tp, timeout_ms=POLL_MS, max_records=20_000)
            for record in fetched.get(tp, ()):
                _take(places, record)
        return places
    finally:
        await ends.stop()
        await committed.stop()


def _take(places: dict[bytes, Place], record: ConsumerRecord) -> None:
    if record.value is None:
        places.pop(record.key, None)
    else:
        places[record.key] = Place.decode(record.value)
