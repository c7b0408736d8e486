"""Where the user agent's results go: dead letters, and the publishers' notes of who was touched."""

import time
from collections.abc import Mapping, Sequence

from aiokafka import ConsumerRecord

from app.worker.dead_letters import DeadLetterSender
from app.worker.latency import Latency
from app.worker.lists import ListPublisher
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from app.worker.watchdog import Pulse
from models.errors import InvalidEvent

MAX_DEAD_LETTERS_ON_THEIR_WAY = 1000


class WorkerOutputs:
    """The outputs of one worker.

    Attributes
    ----------
    n_avoided
        How often a user was touched whose list for earlier events was still to go out: one list is enough for both.
    """

    def __init__(
        self, ownership: Ownership, dead_letters: DeadLetterSender, lists: ListPublisher, pulse: Pulse, latency: Latency
    ) -> None:
        self._ownership = ownership
        self._dead_letters = dead_letters
        self._lists = lists
        self._pulse = pulse
        self._latency = latency
        self._began = 0.0
        self._queued_ms: dict[int, float] = {}
        self.n_avoided = 0

    def partition(self, number: int, generation: int, fetched_at: float) -> OwnedPartition | None:
        """The partition; not for chunks of an older generation, for a state loaded since may stand before them."""
        self._began = time.perf_counter()
        self._queued_ms[number] = 1000 * (self._began - fetched_at)
        return self._ownership.owned.get(number) if generation == self._ownership.generation else None

    def dead_letter(self, partition: OwnedPartition, record: ConsumerRecord, invalid: InvalidEvent) -> None:
        """Send a record on; noted before anything else can run, so that no checkpoint slips past it."""
        partition.dead_letter_sent(record.offset, self._dead_letters.send(record, invalid))

    def done(self, number: int, first_offset: int) -> None:
        """A chunk has been folded, or left: the next one may be fetched."""
        self._ownership.in_flight.discard((number, first_offset))

    def touched(self, partition: OwnedPartition, users: Mapping[str, int], records: Sequence[ConsumerRecord]) -> None:
        """Take note of users."""
        now = time.perf_counter()
        self._latency.add("queue", self._queued_ms.get(partition.number, 0.0), len(records))
        self._latency.add("fold", 1000 * (now - self._began), len(records))
        self._ownership.folded_at = time.monotonic()
        n_before = len(partition.unpublished)
        partition.touched(users, self._ownership.settings.max_unpublished)
        self.n_avoided += len(users) - max(0, len(partition.unpublished) - n_before)
        for user_id, appended_ms in users.items():
            partition.waiting.setdefault(user_id, (appended_ms, now))
        self._pulse.folded += len(records)
        self._lists.wake()

    async def hold_back(self, partition: OwnedPartition) -> None:
        """Wait while too many dead letters are on their way."""
        if partition.n_dead_letters_on_their_way > MAX_DEAD_LETTERS_ON_THEIR_WAY:
            await partition.dead_letters_below(partition.state.next_offset)
