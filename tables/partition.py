"""All that one partition knows: a pure function of its records up to `next_offset`, and of its settings."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from models.errors import InvalidEvent, StateError
from models.event_types import RATING, type_codes
from models.events import Event, decode
from models.fold_arrays import EVALUATED, FRESH, LATE, POSITIVE, SEEN
from models.ids import hash64
from models.partitioner import partition_of
from models.windows import EventClock
from tables.batch import Batch
from tables.codec import undamaged
from tables.cutting import Cut, Cutting, Entry
from tables.evaluator import Evaluator
from tables.fold_lists import FoldLists
from tables.fold_settings import FoldSettings
from tables.item_codec import encode_item
from tables.items import ItemShares
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, decode_metrics, encode_metrics
from tables.users import Users

Folded = str | InvalidEvent | None


class Record(Protocol):
    """One record of `user_events`."""

    @property
    def offset(self) -> int:
        """Its offset."""

    @property
    def timestamp(self) -> int:
        """The record's own time, Unix ms."""

    @property
    def key(self) -> bytes | None:
        """The user_id."""

    @property
    def value(self) -> bytes | None:
        """The event, JSON."""


class PartitionState:
    """State of one partition of `user_events`; events are folded strictly one by one, in offset order.

    Parameters
    ----------
    number, n_partitions
        Which partition of how many.
    """

    def __init__(self, number: int, n_partitions: int, settings: FoldSettings, epoch: int = 1) -> None:
        self.number = number
        self.n_partitions = n_partitions
        self.settings = settings
        self.epoch = epoch
        self.next_offset = 0
        self.users = Users(settings.user_bounds, settings.ratings.n_factors)
        self.items = ItemShares(settings.cooccurrence, settings.ratings, settings.history)
        self.evaluator = Evaluator(self.items, FoldLists(self.items, settings.fusion), settings.evaluate_fraction)
        self.clock = EventClock()
        self.metrics = Metrics()
        self.loaded: Marker | None = None
        self._type_codes = type_codes(settings.rules.types)
        self._dirty_users: dict[str, None] = {}
        self._gone_items: dict[str, None] = {}
        self._cutting: Cutting | None = None
        self._batch = Batch(self.users, self.items, self.evaluator, settings)
        self._is_whole = True
        self._bytes_per_value = 1000.0

    @property
    def dirty_bytes(self) -> int:
        """About how large a cut would be now."""
        n_values = len(self._dirty_users) + int(np.count_nonzero(self.items.dirty))
        return int(n_values * self._bytes_per_value)

    def fold(self, offset: int, record_ms: int, key: bytes | None, value: bytes | None) -> Folded:
        """Take one record.

        Returns
        -------
        str | InvalidEvent | None
            The user whose state changed; or why the record is a dead letter; or None for a record folded before and
            for a duplicate.
        """
        with self._whole():
            return self._take(offset, record_ms, key, value)

    def fold_many(self, records: Iterable[Record]) -> list[Folded]:
        """Take records, in offset order; what `fold` says to each."""
        with self._whole():
            return [self._take(each.offset, each.timestamp, each.key, each.value) for each in records]

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Run what is pending at the end; after an error the state is not whole, and gives no cut any more."""
        try:
            yield
            self._run()
        except BaseException:
            self._is_whole = False
            raise

    def _take(self, offset: int, record_ms: int, key: bytes | None, value: bytes | None) -> Folded:
        if offset < self.next_offset:
            return None
        self.next_offset = offset + 1
        try:
            event = decode(key, value, record_ms, self.settings.rules)
            user_id, users = event.user_id, self.users
            if self._cutting is not None:
                self._cutting.save_user(user_id)
            slot = users.slot(user_id)
            if slot is None:
                slot = self._new_user(user_id)
        except InvalidEvent as invalid:
            self.metrics.add(f"dead_letters.{invalid.reason}")
            return invalid
        if event.event_id is not None and users.is_duplicate(slot, hash64(event.event_id)):
            self.metrics.add("duplicates")
            return None
        self._add(event, slot, offset)
        users.touch(user_id)
        self._dirty_users[user_id] = None
        if len(users) > self.settings.max_users:
            self._forget_user(users.oldest()[0], "users_evicted")
        self._expire_users()
        return user_id

    def _add(self, event: Event, slot: int, offset: int) -> None:
        """Put an event into the batch."""
        settings, rules, items, users = self.settings, self.settings.rules, self.items, self.users
        user_id, item_id, time_ms = event.user_id, event.item_id, event.timestamp_ms
        flags = row = 0
        if self.evaluator.includes(user_id):
            flags, row = EVALUATED, self._hold(user_id, slot)
            if row < 0:
                flags, row = EVALUATED | FRESH, users.waiting_rows.take(slot)
        if self._batch.is_full:
            self._run()
        item = items.slots.get(item_id)
        if item is None:
            if len(items) >= settings.max_items:
                self._run()
                if flags & EVALUATED:
                    self._batch.freeze(slot, row, time_ms, fresh=bool(flags & FRESH))  # on the items of before
                    flags = EVALUATED
                self._evict_items()
            item = items.prepare(item_id)
        users.last_ms[slot] = last_ms = max(int(users.last_ms[slot]), time_ms)
        self.clock.observe(user_id, last_ms)
        now_ms, weight = self.clock.now_ms, rules.weight(event)
        if time_ms < now_ms - settings.late_grace_ms:
            flags |= LATE
            self.metrics.add("late")
        if rules.is_seen(event):
            flags |= SEEN
            if weight > 0:
                users.remember_item(slot, item_id)
        if rules.is_positive(event):
            flags |= POSITIVE
        rating = np.nan
        if event.event_type == RATING and event.value is not None:
            rating = items.ratings.on_scale(event.value)
        kind = self._type_codes[event.event_type]
        as_of_ms = max(now_ms, time_ms)
        self._batch.add(user_id, item_id, slot, item, offset, time_ms, as_of_ms, kind, flags, row, weight, rating)

    def _hold(self, user_id: str, slot: int) -> int:
        """Let a user's lists wait; returns the row they wait in, -1 if none do yet."""
        evicted = self.evaluator.hold(user_id)
        if evicted is not None and evicted in self.users:
            if self._cutting is not None:
                self._cutting.save_user(evicted)
            self.users.let_go(evicted)
            self._dirty_users[evicted] = None
            self.metrics.add("waiting_evicted")
        return self.users.waiting_rows.of[slot]

    def _run(self) -> None:
        """Fold what is pending."""
        if len(self._batch):
            self.metrics.add("events", self._batch.run(self.metrics.counts.get("events", 0)))

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
        metrics = encode_metrics(self.metrics, self.evaluator.stored())
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
            self._bytes_per_value = cut.n_bytes / n_values
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
        )

    def apply_user(self, key: bytes, value: bytes | None) -> None:
        """Take one record of `<app>.users`; `finish_load` comes after the last."""
        if key == MARKER_KEY:
            self.loaded = None if value is None else Marker.decode(value)
        elif key == METRICS_KEY:
            self.metrics, evaluation = decode_metrics(value) if value is not None else (Metrics(), None)
            with undamaged("what the evaluation has summed up"):
                self.evaluator.restore(evaluation)
        else:
            self.users.apply(key.decode(), value)

    def finish_load(self) -> None:
        """Put the loaded parts in order."""
        self.users.sort()
        self.items.finish_load()
        self.evaluator.load(self.users)
        if self.loaded is not None:
            self.epoch = self.loaded.epoch
            self.next_offset = self.loaded.next_offset
            self.clock = EventClock(self.loaded.latest)

    def users_above(self, offset: int) -> list[tuple[str, int]]:
        """Users whose last event lies above an offset, with that offset, oldest first."""
        stamped = [(user_id, self.users.last_offset(user_id)) for user_id in self.users]
        return [(user_id, last) for user_id, last in stamped if last > offset]

    def _new_user(self, user_id: str) -> int:
        expected = partition_of(user_id.encode(), self.n_partitions, self.settings.partitioner)
        if expected != self.number:
            raise InvalidEvent(
                "wrong_partition",
                f"user {user_id!r} came in partition {self.number}, the {self.settings.partitioner} partitioner says "
                f"{expected} of {self.n_partitions}. Set the producer's partitioner to murmur2_random (librdkafka) or "
                "keep its default and set FRESHET_PARTITIONER=crc32.",
            )
        return self.users.add(user_id)

    def _expire_users(self) -> None:
        horizon = self.clock.now_ms - self.settings.max_idle_ms
        for _ in range(2):
            user_id, _, last_ms = self.users.oldest()
            if last_ms >= horizon or len(self.users) == 1:
                return
            self._forget_user(user_id, "users_expired")

    def _forget_user(self, user_id: str, why: str) -> None:
        if user_id in self._batch.users:
            self._run()
        if self._cutting is not None:
            self._cutting.save_user(user_id)
        self.users.remove(user_id)
        self.evaluator.forget(user_id)
        self._dirty_users[user_id] = None
        self.metrics.add(why)

    def _evict_items(self) -> None:
        gone = self.items.oldest(max(1, self.settings.max_items // 16))
        self.items.remove(gone)
        self._gone_items.update(dict.fromkeys(gone))
        self.metrics.add("items_evicted", len(gone))
