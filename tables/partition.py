"""All that one partition knows: a pure function of its records up to `next_offset`, and of its settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.errors import StateError
from models.windows import EventClock
from tables.codec import undamaged
from tables.cutting import Cut, Cutting, Entry
from tables.fold import PartitionFold
from tables.fold_settings import FoldSettings
from tables.item_codec import encode_item
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, decode_metrics, encode_metrics


class PartitionState(PartitionFold):
    """State of one partition: what is folded, saved and loaded.

    Parameters
    ----------
    number, n_partitions
        Which partition of how many.
    topic
        Where its records come from; empty if that is not to be kept.

    Attributes
    ----------
    revision
        Of the lists of its users, as the next cut says; it says nothing of what is folded.
    beside
        What is saved and loaded with the state and is none: no digest has it. JSON.
    """

    def __init__(self, number: int, n_partitions: int, settings: FoldSettings, epoch: int = 1, topic: str = "") -> None:
        super().__init__(number, n_partitions, settings)
        self.epoch = epoch
        self.topic = topic
        self.described = settings.described()
        self.loaded: Marker | None = None
        self.revision = 0
        self.beside: Mapping[str, Any] = {}
        self._bytes_per_value = 1000.0

    @property
    def dirty_bytes(self) -> int:
        """About how large a cut would be now."""
        n_values = len(self._dirty_users) + int(np.count_nonzero(self.items.dirty))
        return int(n_values * self._bytes_per_value) + sum(map(len, self._lessons))

    def begin_cut(self, published_offset: int) -> Cutting:
        """Begin a cut of everything that changed since the last one, which from now on counts as clean.

        Parameters
        ----------
        published_offset
            Lists of users whose last event lies at or below it are known to be in Redis.

        Raises
        ------
        StateError
            If an error has left the state in the middle of a record.
        """
        assert self._cutting is None, "one cut at a time"
        if not self._is_whole:
            raise StateError(f"partition {self.number} was left in the middle of a record: nothing of it is saved.")
        marker = self.marker(published_offset)
        metrics = encode_metrics(self.metrics, self.evaluator.stored(), self.beside)
        gone: list[Entry] = [
            (item_id.encode(), None) for item_id in self._gone_items if item_id not in self.items.slots
        ]
        copies = self.items.copies(self.items.take_dirty())
        item_ids = [(self.items.ids[slot] or "").encode() for slot in copies.slots.tolist()]
        self._cutting = Cutting(
            marker,
            self._dirty_users,
            len(item_ids),
            gone,
            ((METRICS_KEY, metrics), (MARKER_KEY, marker.encode())),
            self._encode_user,
            lambda place: (item_ids[place], encode_item(copies, place)),
            self.take_lessons(),
        )
        self._dirty_users, self._gone_items = {}, {}
        return self._cutting

    def end_cut(self) -> Cut:
        """The cut that was begun, all of it."""
        assert self._cutting is not None, "begin_cut comes first"
        cut = self._cutting.finish()
        self._cutting = None
        n_values = len(cut.users) - 2 + len(cut.items)
        if n_values:
            self._bytes_per_value = (cut.n_bytes - sum(map(len, cut.lessons))) / n_values
        return cut

    def cut(self, published_offset: int) -> Cut:
        """A cut at once."""
        self.begin_cut(published_offset)
        return self.end_cut()

    def _encode_user(self, user_id: str) -> Entry:
        state = self.users.get(user_id)
        return user_id.encode(), state.encode() if state else None

    def restore(self, cut: Cut) -> None:
        """Count what a cut held as dirty again: it could not be saved."""
        self._lessons = [*cut.lessons, *self._lessons]
        for key, _ in cut.users:
            if key not in (MARKER_KEY, METRICS_KEY):
                self._dirty_users[key.decode()] = None
        for key, _ in cut.items:
            item_id = key.decode()
            slot = self.items.slots.get(item_id)
            if slot is None:
                self._gone_items[item_id] = None
            else:
                self.items.dirty[slot] = True

    def marker(self, published_offset: int) -> Marker:
        """Where the state stands."""
        return Marker(
            epoch=self.epoch,
            next_offset=self.next_offset,
            published_offset=published_offset,
            n_events=self.metrics.counts.get("events", 0),
            latest=self.clock.latest,
            n_partitions=self.n_partitions,
            fingerprint=self.settings.fingerprint(),
            settings=self.described,
            topic=self.topic,
            revision=self.revision,
        )

    def apply_user(self, key: bytes, value: bytes | None) -> None:
        """Take one record of `<app>.users`; `finish_load` comes after the last."""
        if key == MARKER_KEY:
            self.loaded = None if value is None else Marker.decode(value)
        elif key == METRICS_KEY:
            self.metrics, evaluation, self.beside = (
                decode_metrics(value) if value is not None else (Metrics(), None, {})
            )
            with undamaged("what the evaluation has summed up"):
                self.evaluator.restore(evaluation)
        else:
            self.users.apply(key.decode(), value)

    def finish_load(self) -> None:
        """Put the loaded parts in order."""
        self.users.sort()
        self.items.finish_load()
        self.evaluator.load(self.users)
        self._least_ms = self.users.least_ms()
        if self.loaded is not None:
            self.epoch = self.loaded.epoch
            self.next_offset = self.loaded.next_offset
            self.revision = self.loaded.revision
            self.clock = EventClock(self.loaded.latest)

    def users_above(self, offset: int) -> list[tuple[str, int]]:
        """Users whose last event lies above an offset, with that offset, oldest first."""
        stamped = [(user_id, self.users.last_offset(user_id)) for user_id in self.users]
        return [(user_id, last) for user_id, last in stamped if last > offset]
