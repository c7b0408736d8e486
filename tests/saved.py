"""Saving and loading a partition's state without a broker: what the two checkpoint topics hold."""

import random
from collections.abc import Iterable

from models.errors import InvalidEvent
from tables.cutting import Cut
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.marker import MARKER_KEY, METRICS_KEY, encode_metrics
from tables.partition import PartitionState
from tests.logs import Record


class Topics:
    """`<app>.users` and `<app>.items` of one partition: each key's latest value, and all that was ever written."""

    def __init__(self) -> None:
        self.latest: dict[tuple[str, bytes], bytes | None] = {}
        self.history: list[tuple[str, bytes, bytes | None]] = []

    def save(self, cut: Cut) -> None:
        """Write one cut."""
        for topic, entries in (("users", cut.users), ("items", cut.items)):
            for key, value in entries:
                self.latest[topic, key] = value
                self.history.append((topic, key, value))

    def compacted(self, rng: random.Random, keep_tombstones: bool = True) -> list[tuple[str, bytes, bytes | None]]:
        """The latest value of every key, the keys in any order: dirty segments move the records about."""
        entries = [(topic, key, value) for (topic, key), value in self.latest.items()]
        rng.shuffle(entries)
        return [entry for entry in entries if keep_tombstones or entry[2] is not None]

    @staticmethod
    def load(state: PartitionState, entries: Iterable[tuple[str, bytes, bytes | None]]) -> PartitionState:
        """Fill a fresh state."""
        for topic, key, value in entries:
            if topic == "users":
                state.apply_user(key, value)
            else:
                state.items.apply(key.decode(), value)
        state.finish_load()
        return state


def keys(entries: list[tuple[bytes, bytes | None]]) -> dict[str, bool]:
    """Keys of a cut, and whether each has a value; the marker and the counters left out."""
    return {key.decode(): value is not None for key, value in entries if key not in (MARKER_KEY, METRICS_KEY)}


def folded(
    records: Iterable[Record], settings: FoldSettings | None = None, number: int = 0, n_partitions: int = 1
) -> PartitionState:
    """A state with these records folded one by one, without any save."""
    state = PartitionState(number, n_partitions, settings or FoldSettings())
    for each in records:
        state.fold(*each)
    return state


def fold_all(state: PartitionState, records: Iterable[Record]) -> list[str | InvalidEvent | None]:
    """Fold records in one go; returns what the fold said to each."""
    return state.fold_many(records)


def everything(state: PartitionState) -> dict[str, object]:
    """All that two equal states share, and their digests with every user's list."""
    return {**in_bytes(state), "digests": digests([state])}


def in_bytes(state: PartitionState) -> dict[str, object]:
    """A whole state in its own bytes; users, items and waiting lists in the order that decides what goes next."""
    users = [(user_id, state.users.get(user_id)) for user_id in state.users]
    return {
        "users": [(user_id, user.encode() if user else None) for user_id, user in users],
        "items": {item_id: state.items.encode(slot) for item_id, slot in sorted(state.items.slots.items())},
        "expendable": state.items.expendable(len(state.items)),
        "waiting": list(state.evaluator._waiting),
        "metrics": encode_metrics(state.metrics, state.evaluator.stored()),
        "marker": state.marker(-1).encode(),
    }
