"""What a consumer cannot decode, told apart by partition, so that it costs no other partition anything.

In aiokafka an error in the batches of one partition is raised by whichever call meets it: what that call had taken of
other partitions is gone, their positions moved on, and so are the good records before the bad batch. Here such a batch
ends what has come of its partition instead: what lies before it is handed out, and the position stands at it.
"""

from collections import OrderedDict
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult

from models.errors import Undecodable


class Failure(NamedTuple):
    """Where decoding failed: the first offset that cannot be read, and why."""

    offset: int
    why: str


Failures = dict[TopicPartition, Failure]


def tell_apart(consumer: AIOKafkaConsumer) -> Failures:
    """Have a consumer that was started note what it cannot decode; returns the notes, which it goes on to fill.

    A partition that is noted gives nothing more until somebody seeks behind what cannot be decoded; as long as it is
    neither sought nor paused, its batch is fetched and noted again and again.
    """
    known = consumer._fetcher._records
    if isinstance(known, _Results):
        return known.failures
    results = _Results()
    for tp, result in known.items():
        results[tp] = result
    consumer._fetcher._records = results
    return results.failures


def check_decoded(failures: Failures) -> None:
    """Refuse to go on with less than all there is.

    Raises
    ------
    Undecodable
        Naming the first place that could not be decoded, if there is any.
    """
    for tp, failure in sorted(failures.items()):
        raise Undecodable(tp.topic, tp.partition, failure.offset, failure.why)


def why_not(error: Exception) -> str:
    """An error of a decoder in one short line.

    Examples
    --------
    >>> why_not(EOFError("ended early")), why_not(KeyError())
    ('EOFError: ended early', 'KeyError')
    """
    name, said = type(error).__name__, " ".join(str(error).split())[:200]
    said = said.partition(f"{name}: ")[2] or said  # aiokafka's errors begin with their own names
    return f"{name}: {said}" if said else name


class _Results(OrderedDict[TopicPartition, Any]):
    """What has been fetched and not taken, of each partition; the fetcher's own books, of our make."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: Failures = {}

    def __setitem__(self, tp: TopicPartition, result: Any) -> None:
        if isinstance(result, FetchResult):
            result.getall = partial(self._take, tp, result)  # the fetcher looks for the very class, not for one of ours
        super().__setitem__(tp, result)

    def _take(self, tp: TopicPartition, result: Any, max_records: int | None = None) -> list[Any]:
        """Up to so many of the records that a fetch has brought, in place of `FetchResult.getall`."""
        taken: list[Any] = []
        if result.check_assignment(tp) and result.has_more():
            records = result._partition_records
            try:
                taken.extend(islice(records, max_records))
            except Exception as error:  # noqa: BLE001 each codec has errors of its own
                self.failures[tp] = Failure(records.next_fetch_offset, why_not(error))
                is_done = True
            else:
                is_done = max_records is None or len(taken) < max_records
            result._update_position()
            if is_done:
                result._partition_records = None
        if not result.has_more():
            result.__dict__.pop("getall", None)  # or it would hold itself
        return taken
