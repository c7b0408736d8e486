"""The partitions that the intake reads, and which worker reads which."""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from zlib import crc32

from tables.intake import Place, place_key

LEADER = 0  # who owns this partition of the events


class Input(NamedTuple):
    """One partition of a topic that the intake reads."""

    topic: str
    partition: int

    @property
    def key(self) -> bytes:
        """Under which its place is stored."""
        return place_key(self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


def inputs_of(counts: Mapping[str, int]) -> list[Input]:
    """All partitions of these topics."""
    return [Input(topic, number) for topic, n in sorted(counts.items()) for number in range(n)]


def home_of(given: Input, n_partitions: int) -> int:
    """The partition of the events whose owner reads an input once its history is written.

    The neighbours of a topic go to neighbours; more partitions of a topic, or more topics, move no other one.

    >>> [home_of(Input("clicks", number), 4) for number in range(5)]
    [1, 2, 3, 0, 1]
    """
    return (crc32(given.topic.encode()) + given.partition) % n_partitions


def share_of(
    inputs: Iterable[Input], places: Mapping[bytes, Place], owned: Collection[int], n_partitions: int
) -> list[Input]:
    """The inputs that the owner of these partitions of the events reads.

    History is read by one worker, so that its order holds across partitions and topics; what is live by all.
    """
    return [each for each in inputs if (home_of(each, n_partitions) if is_live(each, places) else LEADER) in owned]


def is_live(given: Input, places: Mapping[bytes, Place]) -> bool:
    """Whether its history is written."""
    place = places.get(given.key)
    return place is not None and place.is_live
