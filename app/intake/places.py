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

    async def read(self) -> dict[bytes, Place]:
        """Every input's place as committed by now."""
        asked = next(self._turns)
        async with self._lock:
            if self._began < asked:
                self._began = next(self._turns)
                self._known = await read_places(self._broker, self._topic)
            return self._known


async def read_places(broker: Broker, topic: str) -> dict[bytes, Place]:
    """Every input's place as committed by now.

    What is committed may lie behind what others have not committed yet, so the end that is read up to is that of the
    log itself: an open transaction of another input is waited for. It ends within moments, or with its timeout.
    """
    tp = TopicPartition(topic, PARTITION)
    places: dict[bytes, Place] = {}
    ends = AIOKafkaConsumer(**broker.client(), enable_auto_commit=False)
    committed = reader(broker)
    try:
        await start_client(ends, broker)
        await start_client(committed, broker)
        end = (await ends.end_offsets([tp]))[tp]
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
