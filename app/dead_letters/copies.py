"""Events that lie in the log twice: where they could not be folded, and where a redrive has sent them since."""

from collections.abc import Mapping

from aiokafka import ConsumerRecord

from app.broker import Broker
from app.dead_letters.marks import Origins, redriven_to
from app.kafka import partition_counts, partitions_of, read_to_end
from tables.names import Names


class Copies:
    """Counts them by the marks of redrives.

    Parameters
    ----------
    topic
        The log.
    starts
        The first offset of each of its partitions that is still there.
    """

    def __init__(self, topic: str, starts: Mapping[int, int]) -> None:
        self.n = 0
        self._topic = topic
        self._starts = starts
        self._known = Origins()

    def take(self, record: ConsumerRecord) -> None:
        """Take in one record of the topic of dead letters."""
        place = redriven_to(record)
        if place is None:
            return
        origin, partition, offset = place
        there = self._holds(origin.partition, origin.offset) and self._holds(partition, offset)
        if origin.topic == self._topic and there:
            self.n += self._known.add(origin)

    def _holds(self, partition: int, offset: int) -> bool:
        return partition in self._starts and offset >= self._starts[partition]


async def count_copies(broker: Broker, names: Names, starts: Mapping[int, int]) -> int:
    """How many events of the log lie in it twice; 0 if there is no topic of dead letters."""
    if names.dead_letters not in await partition_counts(broker, [names.dead_letters]):
        return 0
    copies = Copies(names.events, starts)
    await read_to_end(broker, await partitions_of(broker, names.dead_letters), copies.take)
    return copies.n


def twice(n_copies: int) -> str:
    """What an operator is told of them before the log is folded anew."""
    return (
        f"{n_copies} of them were dead letters and have been re-driven: original and copy both lie in the log, and the "
        "reset folds both where the settings of today take the original as well, as after a change of "
        "FRESHET_PARTITIONER or FRESHET_EXTRA_EVENT_TYPES. Such an event counts twice; one with an event_id once, if "
        "the copy is within its user's next 32 events."
    )
