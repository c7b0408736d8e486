"""Where the user agent's results go: dead letters, and the publishers' notes of who was touched."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from app.worker.dead_letters import DeadLetterSender
from app.worker.lists import ListPublisher
from app.worker.owned import OwnedPartition
from app.worker.ownership import Ownership
from app.worker.watchdog import Pulse
from models.errors import InvalidEvent

MAX_DEAD_LETTERS_ON_THEIR_WAY = 1000


class WorkerOutputs:
    """The outputs of one worker."""

    def __init__(
        self, ownership: Ownership, dead_letters: DeadLetterSender, lists: ListPublisher, pulse: Pulse
    ) -> None:
        self._ownership = ownership
        self._dead_letters = dead_letters
        self._lists = lists
        self._pulse = pulse

    def partition(self, number: int, generation: int) -> OwnedPartition | None:
        """The partition; not for chunks of an older generation, for a state loaded since may stand before them."""
        return self._ownership.owned.get(number) if generation == self._ownership.generation else None

    def dead_letter(self, partition: OwnedPartition, record: ConsumerRecord, invalid: InvalidEvent) -> None:
        """Send a record on; noted before anything else can run, so that no checkpoint slips past it."""
        partition.dead_letter_sent(record.offset, self._dead_letters.send(record, invalid))

    async def touched(self, partition: OwnedPartition, user_ids: Sequence[str], n_records: int) -> None:
        """Take note of users, and hold the fold back while too many dead letters are on their way."""
        partition.touched(user_ids, self._ownership.settings.max_unpublished)
        self._pulse.folded += n_records
        self._lists.wake()
        if partition.n_dead_letters_on_their_way > MAX_DEAD_LETTERS_ON_THEIR_WAY:
            await partition.dead_letters_below(partition.state.next_offset)
