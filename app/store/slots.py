"""Which node of a Redis Cluster holds which keys: pure, from what a node answered to CLUSTER SLOTS."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from redis.crc import key_slot

from app.store.access import Host
from app.store.connect import Command

N_SLOTS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Slots:
    """Primaries and replicas of a cluster.

    Parameters
    ----------
    primary_of
        For each of the 16,384 slots its primary; None where the cluster has none.
    first_slots
        Each primary's lowest slot.
    replicas
        Each primary's replicas.
    """

    primary_of: tuple[Host | None, ...]
    first_slots: dict[Host, int]
    replicas: dict[Host, tuple[Host, ...]]

    @property
    def n_uncovered(self) -> int:
        """Slots without a primary."""
        return self.primary_of.count(None)

    def primary(self, key: str | bytes) -> Host | None:
        """The node that a key belongs to."""
        return self.primary_of[slot_of(key)]


def slots_of(reply: Sequence[Any], asked: Host) -> Slots:
    """Read the reply to CLUSTER SLOTS, as it came.

    Parameters
    ----------
    asked
        The node that answered: one that does not know its own name means this one.
    """
    primary_of: list[Host | None] = [None] * N_SLOTS
    first_slots: dict[Host, int] = {}
    replicas: dict[Host, tuple[Host, ...]] = {}
    for first, last, *nodes in reply:
        primary, *others = [_host(node, asked) for node in nodes]
        primary_of[first : last + 1] = [primary] * (last + 1 - first)
        first_slots[primary] = min(first, first_slots.get(primary, N_SLOTS))
        replicas[primary] = tuple(dict.fromkeys((*replicas.get(primary, ()), *others)))
    return Slots(tuple(primary_of), first_slots, replicas)


def _host(node: Sequence[Any], asked: Host) -> Host:
    name = node[0].decode() if isinstance(node[0], bytes) else (node[0] or "")
    return (asked[0] if name in {"", "?"} else name), int(node[1])


def slot_of(key: str | bytes) -> int:
    """The slot of a key.

    Examples
    --------
    >>> slot_of("recs:user:1") == slot_of("{recs:user:1}:other")
    True
    """
    return int(key_slot(key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key))


def key_of(command: Command) -> str | bytes:
    """The one key of a command of ours.

    Raises
    ------
    ValueError
        For a function call with more than one key.
    """
    if command[0] != "FCALL":
        key = command[1]
    elif command[2] == 1:
        key = command[3]
    else:
        raise ValueError(f"{command[1]!r} has {command[2]!r} keys: on a cluster a call takes one")
    assert isinstance(key, str | bytes)
    return key


@cache
def tag_in(slot: int) -> str:
    """A short text that lies in a slot: in braces it takes any key there."""
    number = 0
    while slot_of(f"{number:x}") != slot:
        number += 1
    return f"{number:x}"
