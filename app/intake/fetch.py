"""Reads one input partition: a consumer of its own, so that what is damaged there, or slow, holds up no other one."""

from collections.abc import Awaitable, Callable

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from app.batches import Batch, raw_batch
from app.broker import Broker
from app.decoding import Failures, tell_apart
from app.kafka import start_client
from models.errors import Undecodable

IsSkipped = Callable[[TopicPartition, Batch], Awaitable[bool]]

AT_HAND = 2000  # records that are fetched before they are due
AT_HAND_BYTES = 4 * 1024**2
FETCH_BYTES = 1024**2
WAIT_MS = 500


class Fetcher:
    """Reads committed records of one partition, in order.

    Parameters
    ----------
    is_skipped
        Whether a batch that cannot be decoded is to be stepped over.
    """

    def __init__(self, tp: TopicPartition, broker: Broker, is_skipped: IsSkipped) -> None:
        self.at_hand: list[ConsumerRecord] = []
        self.position = 0  # behind the last one fetched
        self.failed: Undecodable | None = None  # what lies behind those at hand
        self._tp = tp
        self._broker = broker
        self._is_skipped = is_skipped
        self._failures: Failures = {}
        self._end = 0
        self._consumer = AIOKafkaConsumer(
            **broker.client(),
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_bytes=FETCH_BYTES,
            fetch_max_wait_ms=WAIT_MS,
        )

    async def start(self) -> tuple[int, int]:
        """Connect; returns where the partition begins and ends."""
        await start_client(self._consumer, self._broker)
        self._failures = tell_apart(self._consumer)
        self._consumer.assign([self._tp])
        first = (await self._consumer.beginning_offsets([self._tp]))[self._tp]
        self._end = (await self._consumer.end_offsets([self._tp]))[self._tp]
        return first, self._end

    def seek(self, offset: int) -> None:
        """Go on from an offset."""
        self._consumer.seek(self._tp, offset)
        self.position = offset

    @property
    def end(self) -> int:
        """The end of what is committed, as far as is known."""
        return max(self._end, self._consumer.last_stable_offset(self._tp) or 0)

    async def fill(self, until: int) -> None:
        """Have many records at hand, or all below an offset; fewer if what follows cannot be decoded."""
        while self.position < until and self.failed is None and not self._is_enough():
            self.at_hand += await self._get(AT_HAND, WAIT_MS)

    def _is_enough(self) -> bool:
        if len(self.at_hand) >= AT_HAND:
            return True
        return sum(len(record.value or b"") for record in self.at_hand) >= AT_HAND_BYTES

    def take(self, n: int) -> list[ConsumerRecord]:
        """Take the first ones of those at hand."""
        taken, self.at_hand = self.at_hand[:n], self.at_hand[n:]
        return taken

    def forget(self) -> None:
        """Drop what is at hand."""
        self.at_hand, self.failed = [], None

    async def next(self) -> list[ConsumerRecord]:
        """What is at hand, or everything that has come by now, or what comes first within the time.

        A broker answers as soon as it has one record. The client asks ahead by itself, so while a batch is written the
        answer would be the first record behind it, and the next batch that one alone, however many have come since:
        it is kept from asking, but where the rest is known to be there and may as well be fetched meanwhile.

        Raises
        ------
        Undecodable
            If what comes next cannot be decoded, and nobody wants it stepped over.
        """
        if not self.at_hand:
            self._consumer.resume(self._tp)
            self.at_hand = await self._get(AT_HAND, WAIT_MS)
            if self.position >= self.end:  # nothing more is there: what comes now is asked for when it can be written
                self._consumer.pause(self._tp)
        if not self.at_hand:
            self.check()
        return self.take(AT_HAND)

    def check(self) -> None:
        """Refuse to go on behind what cannot be decoded."""
        if self.failed is not None:
            raise self.failed

    async def _get(self, n: int, wait_ms: int) -> list[ConsumerRecord]:
        fetched = await self._consumer.getmany(self._tp, timeout_ms=wait_ms, max_records=n)
        records: list[ConsumerRecord] = fetched.get(self._tp, [])
        failure = self._failures.pop(self._tp, None)
        if failure is None:
            self.position = await self._consumer.position(self._tp)
            return records
        batch = await raw_batch(self._consumer, self._tp, failure.offset)
        if await self._is_skipped(self._tp, batch):
            self.seek(batch.behind)
        else:
            self.position = failure.offset
            self.failed = Undecodable(self._tp.topic, self._tp.partition, failure.offset, failure.why)
        return records

    async def stop(self) -> None:
        """Disconnect."""
        await self._consumer.stop()
