"""What one partition does with each record: who may come, what makes room, and what goes into the batch."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import numpy as np

from models.errors import InvalidEvent
from models.event_types import RATING, WITHDRAW, returning_types, type_codes
from models.events import Event, EventRules, decode
from models.fold_arrays import EVALUATED, FRESH, KIND_FROM, LATE, NEGATIVE, POSITIVE, RETURNS, SEEN, WITHDRAWN
from models.ids import hash64
from models.partitioner import partition_of
from models.placement import hint
from models.windows import EventClock
from tables.batch import MAX_EVENTS, Batch
from tables.cutting import Cutting
from tables.evaluator import Evaluator
from tables.fold_lists import FoldLists
from tables.fold_settings import FoldSettings
from tables.items import ItemShares
from tables.marker import Metrics
from tables.users import Users

Folded = str | InvalidEvent | None

MAX_EVICTED = 2048
"""The most items that go at once, so that a single event does not pay for all of a large sixteenth."""


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


class PartitionFold:
    """The fold of one partition of `user_events`: strictly one record after the other, in offset order.

    Parameters
    ----------
    number, n_partitions
        Which partition of how many. A single one learns the factors itself; of several each hands over what it would
        have learned them from.
    """

    def __init__(self, number: int, n_partitions: int, settings: FoldSettings) -> None:
        self.number = number
        self.n_partitions = n_partitions
        self.settings = settings
        self.next_offset = 0
        self.users = Users(settings.user_bounds, settings.ratings.n_factors)
        models = (settings.cooccurrence, settings.ratings, settings.history, settings.following)
        self.items = ItemShares(*models, learned=n_partitions == 1)
        self._lessons: list[bytes] = []
        self.evaluator = Evaluator(self.items, FoldLists(self.items), settings.evaluate_fraction)
        self.clock = EventClock()
        self.metrics = Metrics()
        self._kinds = kinds_of(settings.rules)
        self._least_ms = 2**63  # no user's last event is older
        self._dirty_users: dict[str, None] = {}
        self._gone_items: dict[str, None] = {}
        self._cutting: Cutting | None = None
        self._batch = Batch(self.users, self.items, self.evaluator, settings)
        self._is_whole = True

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
            self.give_up()
            raise

    @property
    def n_of_type(self) -> dict[str, int]:
        """Events folded by type, since this object was made: no state, so no digest and no checkpoint has it."""
        return dict(zip(self._batch.types, self._batch.n_of_type.tolist(), strict=True))

    def step_over(self, offset: int, behind: int) -> None:
        """Pass over what cannot be decoded, from an offset on, up to another one; counted, so that digests tell."""
        self.next_offset = behind
        self.metrics.add("undecodable.batches")
        self.metrics.add("undecodable.offsets", behind - offset)

    def take_lessons(self) -> list[bytes]:
        """What the events since the last call have taught (`tables.lessons`), in their order."""
        lessons, self._lessons = self._lessons, []
        if taught := self._batch.take_lessons(self.number):
            lessons.append(taught)
        return lessons

    def give_up(self) -> None:
        """Never give a cut again: something that belongs to this state is lost."""
        self._is_whole = False

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
        settings, items, users = self.settings, self.items, self.users
        user_id, item_id, time_ms = event.user_id, event.item_id, event.timestamp_ms
        kind, weight, flags = self._kinds[event.event_type]
        row, rating = -1, np.nan
        if event.event_type == RATING:
            weight, flags, rating = self._judged(event, flags)
        if self.evaluator.includes(user_id):
            flags |= EVALUATED
            row = self._hold(user_id, slot)
            if row < 0:
                flags |= FRESH
                row = users.waiting_rows.take(slot)
        if self._batch.is_full:
            self._run()
        item = items.slots.get(item_id)
        if item is None:
            if len(items) >= settings.max_items:
                self._run()
                if flags & EVALUATED:
                    self._batch.freeze(slot, row, time_ms, fresh=bool(flags & FRESH))  # on the items of before
                    flags &= ~FRESH
                self._evict_items()
            item = items.prepare(item_id)
        users.last_ms[slot] = last_ms = max(int(users.last_ms[slot]), time_ms)
        self.clock.observe(user_id, last_ms)
        self._least_ms = min(self._least_ms, time_ms)
        now_ms = self.clock.now_ms
        if time_ms < now_ms - settings.late_grace_ms:
            flags |= LATE
            self.metrics.add("late")
        if flags & SEEN and weight > 0:
            users.remember_item(slot, item_id, int(items.hashes[item]))
        as_of_ms = max(now_ms, time_ms)
        self._batch.add(user_id, item_id, slot, item, offset, time_ms, as_of_ms, kind, flags, row, weight, rating)

    def _judged(self, event: Event, flags: int) -> tuple[float, int, float]:
        """Weight, flags and value on the scale of a rating; `flags` are those of any rating."""
        value = event.value
        assert value is not None, "decode lets no rating without a value pass"
        rules, rating = self.settings.rules, self.items.ratings.on_scale(value)
        if value >= rules.positive_rating:
            return rules.types[RATING].weight, flags | POSITIVE, rating
        return rules.low_rating_weight, flags | (NEGATIVE if value <= rules.negative_rating else 0), rating

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
            if taught := self._batch.take_lessons(self.number, least=MAX_EVENTS):
                self._lessons.append(taught)

    def _new_user(self, user_id: str) -> int:
        expected = partition_of(user_id.encode(), self.n_partitions, self.settings.partitioner)
        if expected != self.number:
            raise InvalidEvent(
                "wrong_partition",
                f"user {user_id!r} came in partition {self.number}, FRESHET_PARTITIONER={self.settings.partitioner} "
                f"says {expected} of {self.n_partitions}. {hint(user_id.encode(), self.number, self.n_partitions)}",
            )
        return self.users.add(user_id)

    def _expire_users(self) -> None:
        horizon = self.clock.now_ms - self.settings.max_idle_ms
        if horizon <= self._least_ms:
            return  # nobody is that old
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
        gone = self.items.expendable(min(max(1, self.settings.max_items // 16), MAX_EVICTED))
        self.items.remove(gone)
        self._gone_items.update(dict.fromkeys(gone))
        self.metrics.add("items_evicted", len(gone))


def kinds_of(rules: EventRules) -> dict[str, tuple[int, float, int]]:
    """Number, weight and flags of each type of event; of a rating, the value decides.

    Raises
    ------
    SettingsError
        If more types may return than there are kinds.
    """
    kinds, returning = {}, [known.name for known in returning_types(rules.types)]
    for name, code in type_codes(rules.types).items():
        known = rules.types[name]
        flags = SEEN if known.makes_seen else 0
        flags |= {1: POSITIVE, 0: 0, -1: NEGATIVE}[known.polarity] | (WITHDRAWN if known.effect == WITHDRAW else 0)
        if known.may_return:
            flags |= RETURNS | (returning.index(name) + 1) << KIND_FROM
        kinds[name] = (code, known.weight, flags)
    return kinds
