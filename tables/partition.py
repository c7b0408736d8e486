"""All that one partition knows: a pure function of its records up to `next_offset`, and of its settings."""

import numpy as np
import numpy.typing as npt

from models.errors import InvalidEvent
from models.event_types import RATING, type_codes
from models.events import Event, decode
from models.ids import hash64
from models.partitioner import partition_of
from models.windows import EventClock
from tables.codec import undamaged
from tables.cutting import Cut, Cutting, Entry
from tables.evaluator import Evaluator
from tables.fold_lists import FoldLists
from tables.fold_settings import FoldSettings
from tables.items import ItemShares
from tables.marker import MARKER_KEY, METRICS_KEY, Marker, Metrics, decode_metrics, encode_metrics
from tables.users import Users, UserState
from tables.windows import live_buckets


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
        self.users = Users()
        self.items = ItemShares(settings.cooccurrence, settings.ratings, settings.history)
        self.evaluator = Evaluator(self.items, FoldLists(self.items, settings.fusion), settings.evaluate_fraction)
        self.clock = EventClock()
        self.metrics = Metrics()
        self.loaded: Marker | None = None
        self._type_codes = type_codes(settings.rules.types)
        self._bounds = settings.user_bounds
        self._dirty_users: dict[str, None] = {}
        self._dirty_items: set[int] = set()
        self._gone_items: dict[str, None] = {}
        self._cutting: Cutting | None = None
        self._bytes_per_value = 1000.0

    @property
    def dirty_bytes(self) -> int:
        """About how large a cut would be now."""
        return int((len(self._dirty_users) + len(self._dirty_items)) * self._bytes_per_value)

    def fold(self, offset: int, record_ms: int, key: bytes | None, value: bytes | None) -> str | InvalidEvent | None:
        """Take one record.

        Returns
        -------
        str | InvalidEvent | None
            The user whose state changed; or why the record is a dead letter; or None for a record folded before and
            for a duplicate.
        """
        if offset < self.next_offset:
            return None
        self.next_offset = offset + 1
        try:
            event = decode(key, value, record_ms, self.settings.rules)
            user = self.users.get(event.user_id) or self._new_user(event.user_id)
        except InvalidEvent as invalid:
            self.metrics.add(f"dead_letters.{invalid.reason}")
            return invalid
        if self._cutting is not None:
            self._cutting.save_user(event.user_id)
        if event.event_id is not None and user.is_duplicate(hash64(event.event_id)):
            self.metrics.add("duplicates")
            return None
        self._learn(event, user, offset)
        self._keep(event.user_id, user)
        self._expire_users()
        return event.user_id

    def begin_cut(self, published_offset: int) -> Cutting:
        """Begin a cut of everything that changed since the last one, which from now on counts as clean.

        Parameters
        ----------
        published_offset
            Lists of users whose last event lies at or below it are known to be in Redis.
        """
        assert self._cutting is None, "one cut at a time"
        marker = self.marker(published_offset)
        metrics = encode_metrics(self.metrics, self.evaluator.stored())
        gone: list[Entry] = [
            (item_id.encode(), None) for item_id in self._gone_items if item_id not in self.items.slots
        ]
        self._cutting = Cutting(
            marker,
            self._dirty_users,
            self._dirty_items,
            gone,
            ((METRICS_KEY, metrics), (MARKER_KEY, marker.encode())),
            self._encode_user,
            self._encode_item,
        )
        self._dirty_users, self._dirty_items, self._gone_items = {}, set(), {}
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

    def _encode_item(self, slot: int) -> Entry | None:
        item_id = self.items.ids[slot]
        return None if item_id is None else (item_id.encode(), self.items.encode(slot))

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
                self._dirty_items.add(slot)

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

    def _new_user(self, user_id: str) -> UserState:
        expected = partition_of(user_id.encode(), self.n_partitions, self.settings.partitioner)
        if expected != self.number:
            raise InvalidEvent(
                "wrong_partition",
                f"user {user_id!r} came in partition {self.number}, the {self.settings.partitioner} partitioner says "
                f"{expected} of {self.n_partitions}. Set the producer's partitioner to murmur2_random (librdkafka) or "
                "keep its default and set FRESHET_PARTITIONER=crc32.",
            )
        return UserState()

    def _learn(self, event: Event, user: UserState, offset: int) -> None:
        settings, rules, items, time_ms = self.settings, self.settings.rules, self.items, event.timestamp_ms
        evaluated = self.evaluator.includes(event.user_id)
        if evaluated:
            self._freeze(event, user)
        user.n_events += 1
        user.last_offset = offset
        user.last_ms = max(user.last_ms, time_ms)
        self.clock.observe(event.user_id, user.last_ms)
        now_ms = self.clock.now_ms
        late = time_ms < now_ms - settings.late_grace_ms
        as_of_ms = max(now_ms, time_ms)
        if event.item_id not in items.slots and len(items) >= settings.max_items:
            self._evict_items()
        slot = items.intern(event.item_id)
        if self._cutting is not None:
            self._cutting.save_items((slot,))
        items.n_events[slot] += 1
        items.last_offset[slot] = offset
        items.last_ms[slot] = max(int(items.last_ms[slot]), time_ms)
        event_type = self._type_codes[event.event_type]
        buckets = [] if late else live_buckets(event_type, time_ms, as_of_ms)
        user.windows.add_to(event_type, buckets, as_of_ms)
        items.windows_of(slot).add_to(event_type, buckets, as_of_ms)
        touched = [slot]
        weight = rules.weight(event)
        if rules.is_seen(event):
            is_new = user.mark_seen(items.hashes[slot], self._bounds.max_seen)
            positive = rules.is_positive(event)
            if evaluated and is_new and positive:
                self.evaluator.test(event, int(items.hashes[slot]), user, self.metrics.counts.get("events", 0))
            if weight > 0:
                touched += self._learn_pairs(event.item_id, slot, weight, user, positive=positive)
        if event.event_type == RATING and event.value is not None:
            self._learn_rating(event.user_id, user, slot, event.value)
        if weight > 0 and not late:
            items.trending.learn_one(slot, weight, time_ms)
        self.metrics.add("events")
        if late:
            self.metrics.add("late")
        self._dirty_items.update(touched)
        items.touched.update(touched)

    def _freeze(self, event: Event, user: UserState) -> None:
        evicted = self.evaluator.freeze(event, user)
        other = self.users.get(evicted) if evicted is not None and evicted != event.user_id else None
        if evicted is not None and other is not None:
            if self._cutting is not None:
                self._cutting.save_user(evicted)
            other.waiting = None
            self._dirty_users[evicted] = None
            self.metrics.add("waiting_evicted")

    def _learn_pairs(self, item_id: str, slot: int, weight: float, user: UserState, *, positive: bool) -> list[int]:
        items = self.items
        before = user.add_recent(item_id, weight, self._bounds.max_recent)
        known = [(items.slots[other], amount) for other, amount in before if other in items.slots]
        others = np.array([other for other, _ in known], np.int32)
        weights = np.array([amount for _, amount in known], np.float64)
        if self._cutting is not None:
            self._cutting.save_items(others.tolist())
        items.set_weight(slot, float(items.weight[slot]) + weight)
        items.pairs.learn_one(slot, others, weight * weights)
        n_events = self.metrics.counts.get("events", 0)
        changed = items.history.learn_one(
            slot, others, weights, weight, n_events, user.seen[: user.n_seen], self._before
        )
        return [*others.tolist(), *changed.tolist()]

    def _before(self, slots: npt.NDArray[np.int32]) -> None:
        """The rows of some slots are about to change."""
        if self._cutting is not None:
            self._cutting.save_items(slots.tolist())

    def _learn_rating(self, user_id: str, user: UserState, slot: int, rating: float) -> None:
        ratings = self.items.ratings
        rating = ratings.on_scale(rating)
        known = user.factors is not None
        self.evaluator.ratings.add(ratings.predict_one(user.factors, slot), rating)
        if not known:
            user.factors = ratings.start_user(hash64(user_id))
        assert user.factors is not None
        ratings.start(slot, int(self.items.hashes[slot]))
        ratings.learn_one(user.factors, slot, rating)

    def _keep(self, user_id: str, user: UserState) -> None:
        self.users.touch(user_id, user)
        self._dirty_users[user_id] = None
        if len(self.users) > self.settings.max_users:
            self._forget_user(self.users.oldest()[0], "users_evicted")

    def _expire_users(self) -> None:
        horizon = self.clock.now_ms - self.settings.max_idle_ms
        for _ in range(2):
            user_id, _, last_ms = self.users.oldest()
            if last_ms >= horizon or len(self.users) == 1:
                return
            self._forget_user(user_id, "users_expired")

    def _forget_user(self, user_id: str, why: str) -> None:
        if self._cutting is not None:
            self._cutting.save_user(user_id)
        self.users.remove(user_id)
        self.evaluator.forget(user_id)
        self._dirty_users[user_id] = None
        self.metrics.add(why)

    def _evict_items(self) -> None:
        if self._cutting is not None:
            self._cutting.save_items(list(self._cutting.slots))
        gone = self.items.oldest(max(1, self.settings.max_items // 16))
        slots = [self.items.slots[item_id] for item_id in gone]
        self._dirty_items.difference_update(slots)
        self._dirty_items.update(self.items.remove(gone))
        self._gone_items.update(dict.fromkeys(gone))
        self.metrics.add("items_evicted", len(gone))
