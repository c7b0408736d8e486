"""Follows the learner's rows of factors, as of its last transaction, into the view of this worker."""

import time
from collections.abc import AsyncIterator, Collection

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.shares import follow_shares
from app.broker import Broker
from app.decoding import tell_apart
from app.worker.follower import Batch, fetched, following
from app.worker.live_view import LiveView
from tables.factor_rows import FactorRows
from tables.fold_settings import FoldSettings
from tables.learner import LearnerMarker
from tables.linked_factors import LinkedFactors
from tables.marker import MARKER_KEY

PARTITION = 0


class FactorFollower:
    """Keeps the view's rows of factors; a plain read-committed consumer without a group.

    Until it has read what there was at the start, `LiveView.knows_factors` is false and nothing is published: lists of
    before were made from those rows.
    """

    def __init__(self, broker: Broker, topic: str, view: LiveView, settings: FoldSettings) -> None:
        self._broker = broker
        self._tp = TopicPartition(topic, PARTITION)
        self._view = view
        self._rows = FactorRows(settings.history)
        view.items.learned = LinkedFactors(self._rows)
        view.knows_factors, view.taught_to = False, {}

    async def run(self) -> None:
        """Follow for ever.

        Raises
        ------
        StateError
            If a row cannot be read.
        """
        async with following(self._broker) as consumer:
            await follow_shares(self._batches(consumer), shares=self, clock=time.perf_counter)

    async def _batches(self, consumer: AIOKafkaConsumer) -> AsyncIterator[Batch]:
        failures = tell_apart(consumer)
        consumer.assign([self._tp])
        await consumer.seek_to_beginning(self._tp)
        end = (await consumer.end_offsets([self._tp]))[self._tp]
        while True:
            records = await fetched(consumer, failures)
            yield Batch(records, [PARTITION] if await consumer.position(self._tp) >= end else [])

    def of(self, number: int) -> "FactorFollower":
        """Who takes the records: all are of the one partition."""
        return self

    def apply(self, key: str, data: bytes | None) -> None:
        """Take one record: a row, or where the learner stood when it wrote the rows before."""
        if key.encode() != MARKER_KEY:
            self._rows.apply(key, data)
        elif data is not None:
            self._view.taught_to = LearnerMarker.decode(data).taken

    def show(self, reached: Collection[int]) -> None:
        """Let lists go out when all has come that there was at the start."""
        if reached:
            self._view.knows_factors = True
