"""One partition that this worker owns: its state, its checkpoint writer, and what is still on its way out."""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Iterable, Mapping
from itertools import chain
from time import monotonic
from types import MappingProxyType

from app.worker.checkpoints import CheckpointWriter
from app.worker.stop import Stop
from app.worker.sweep import Sweep
from tables.cutting import Cut
from tables.lessons import end_of
from tables.partition import PartitionState

logger = logging.getLogger("freshet")

NOBODY: Mapping[str, int] = MappingProxyType({})
MAX_GAPS = 10_000  # between two looks at the log's start; each mark of a transaction is one
FAR_BEHIND, CLOSE_BEHIND = 10_000, 1000  # records from a partition's last lesson back to those that are learned
REMADE_EVERY_S = 600.0  # at most: lists wait for a checkpoint then


class OwnedPartition:
    """State of one partition and the outputs that its checkpoints have to wait for or to name.

    `unpublished` maps each user whose list is not in Redis to the user's last offset when it was touched since.
    `out_of_reach` holds those of them whose node of Redis is away, so that they cost nothing until it is back.
    `rebuild` holds users whose lists are all to be made anew (Redis was found empty, too many were unpublished, or what
    shapes lists has changed). `revision` is that of the lists made now: the one that the last checkpoint holds, so that
    whoever takes over goes on with it or a higher one.
    `stale_features` holds users whose features are to go out, those that wait longest first.
    """

    def __init__(self, state: PartitionState, writer: CheckpointWriter) -> None:
        self.state = state
        self.writer = writer
        self.unpublished: dict[str, int] = {}
        self.out_of_reach: dict[str, int] = {}
        self.handed_to = state.next_offset  # lessons of events below it are the learner's to learn
        self.lacks_factors = False  # lists were made while the learner was far behind
        self.remade_at = -math.inf  # when they were made anew for that, monotonic s
        self.bare: dict[str, int] = {}  # users whose lists in Redis are empty, there was nothing to offer: made at
        self.rebuild: deque[str] = deque()
        self.revision = state.revision
        self.stale_features: dict[str, None] = {}
        self._n_features_lost = 0  # so many of the first of them are to be made anew
        self.sweep = Sweep(lambda: self.state.users)
        self.waiting: dict[str, tuple[int, float]] = {}  # users: first event appended at (ms), folded at (s)
        self.durable_offset: int | None = state.next_offset or None
        self.end_offset = state.next_offset
        self.stop: Stop | None = None  # where it stands, for what lies there cannot be decoded
        self.gaps: deque[tuple[int, int]] = deque(maxlen=MAX_GAPS)  # offsets passed over: the first, the one behind
        self.listed_ms = 0  # when it was loaded, its lists were in Redis unless that was emptied later; Unix ms
        self.losses_seen: int | None = None  # how often Redis was found empty before its lists were last made anew
        self.saved_as_rebuilding = state.loaded is not None and state.loaded.published_offset < 0
        self._saved_published = state.loaded.published_offset if state.loaded is not None else state.next_offset - 1
        self.checkpoint_lock = asyncio.Lock()
        self.last_checkpoint = monotonic()
        self._saved_at = monotonic()
        self.encodings_s = deque([0.0, 0.0], maxlen=2)  # what the last checkpoints cost, s of CPU
        self.events_at_checkpoint = state.metrics.counts.get("events", 0)
        self._clock = (state.clock.now_ms, 0)
        self._dead_letters: deque[tuple[int, asyncio.Future[object]]] = deque()

    @property
    def number(self) -> int:
        """Which partition it is."""
        return self.state.number

    @property
    def is_rebuilding(self) -> bool:
        """Whether lists, or features, are being made anew: whoever takes over has to begin with all of them."""
        return bool(self.rebuild) or self._n_features_lost > 0

    @property
    def needs_checkpoint(self) -> bool:
        """Whether the last one does not say what is now."""
        has_moved = self.state.next_offset != (self.durable_offset or 0)
        is_waiting = self.is_rebuilding or any((self.unpublished, self.out_of_reach, self.bare))
        is_out = not is_waiting and self._saved_published < self.state.next_offset - 1
        return has_moved or self.awaits_revision or self.is_rebuilding != self.saved_as_rebuilding or is_out

    @property
    def awaits_revision(self) -> bool:
        """Whether lists can be made anew only when a checkpoint holds the revision that they are to have."""
        return self.revision != self.state.revision

    @property
    def due(self) -> Mapping[str, int]:
        """Those of `unpublished` whose lists may be made now: none while lists await their revision."""
        return NOBODY if self.awaits_revision else self.unpublished

    @property
    def can_rebuild(self) -> bool:
        """Whether there are lists to be made anew now."""
        return bool(self.rebuild) and not self.awaits_revision

    def unsaved_since(self, now: float) -> float:
        """Since when, at least, something is in no checkpoint; `now` if nothing is. Monotonic s."""
        if not self.needs_checkpoint:
            self._saved_at = now
        return max(self._saved_at, self.last_checkpoint)

    @property
    def lag(self) -> int:
        """Records behind the end of the partition, as far as is known."""
        return max(0, self.end_offset - self.state.next_offset)

    @property
    def readable_end(self) -> int:
        """The end of what can be folded, as far as is known."""
        return self.end_offset if self.stop is None else min(self.end_offset, self.stop.offset)

    @property
    def published_offset(self) -> int:
        """Lists of users whose last event lies at or below it are in Redis, and are not empty."""
        if self.is_rebuilding:
            return -1
        waiting = chain(self.unpublished.values(), self.out_of_reach.values(), self.bare.values())
        return min(waiting, default=self.state.next_offset) - 1

    def clock_ms(self, now_ms: int) -> int:
        """The partition's event clock, aged by the wall time since it last moved."""
        if self.state.clock.now_ms != self._clock[0] or not self._clock[1]:
            self._clock = (self.state.clock.now_ms, now_ms)
        return self._clock[0] + max(0, now_ms - self._clock[1])

    def clock_moved_at(self, wall_ms: int) -> None:
        """Say when the clock moved last, after a load."""
        self._clock = (self.state.clock.now_ms, wall_ms)

    def touched(self, user_ids: Iterable[str], max_unpublished: int) -> None:
        """Take note of users whose lists and features are to go out."""
        for user_id in user_ids:
            if user_id in self.state.users:  # a later event of the same slice may have made it go
                self.unpublished.setdefault(user_id, self.state.users.last_offset(user_id))
                self.stale_features[user_id] = None
        if len(self.unpublished) + len(self.out_of_reach) > max_unpublished:
            self.rebuild_all()

    def saved(self, cut: Cut, *, rebuilding: bool) -> None:
        """Take note that a cut, begun while lists or features were being made anew or not, is in the checkpoints."""
        self.durable_offset, self.revision = cut.marker.next_offset, cut.marker.revision
        self.saved_as_rebuilding, self._saved_published = rebuilding, cut.marker.published_offset
        self.last_checkpoint = monotonic()
        self.events_at_checkpoint = cut.marker.n_events
        if cut.lessons:
            self.handed_to = end_of(cut.lessons[-1])

    def rebuild_lists(self) -> None:
        """Make every list anew, under a revision of its own."""
        behind = {user_id: None for user_id in self.unpublished if user_id in self.state.users}
        self.rebuild = deque(behind | dict.fromkeys(self.state.users))  # first those whose lists lack events
        self.state.revision += bool(self.rebuild)
        self.unpublished.clear()
        self.bare.clear()
        self.waiting.clear()

    def rebuild_all(self) -> None:
        """Make every list anew, and write all features."""
        self.rebuild_lists()
        self.stale_features = dict.fromkeys(self.state.users)
        self._n_features_lost = len(self.stale_features)
        self.out_of_reach.clear()

    def set_aside(self, user_id: str, offset: int) -> None:
        """Let a user wait for the node of Redis that the list belongs to; it was to be made at `offset` or later."""
        offset = min(self.unpublished.pop(user_id, offset), offset)
        self.out_of_reach[user_id] = min(self.out_of_reach.get(user_id, offset), offset)

    def follow_learner(self, taught_to: int) -> None:
        """Make all lists anew, once, when the learner has caught up that was far behind while they were made.

        Parameters
        ----------
        taught_to
            Lessons of the partition's events below it are in the rows that lists are made from.
        """
        lag = self.handed_to - taught_to
        if lag > FAR_BEHIND and monotonic() >= self.remade_at + REMADE_EVERY_S:
            self.lacks_factors = True
        elif self.lacks_factors and lag <= CLOSE_BEHIND and not self.is_rebuilding:
            self.lacks_factors, self.remade_at = False, monotonic()
            logger.info("partition %d: its lists are made anew, by the factors learned meanwhile", self.number)
            self.rebuild_lists()

    def bring_back(self) -> None:
        """Try those set aside again."""
        for user_id, offset in self.out_of_reach.items():
            self.unpublished[user_id] = min(self.unpublished.get(user_id, offset), offset)
        self.out_of_reach = {}

    def offer(self) -> None:
        """Make the empty lists anew: there is something to offer now."""
        self.unpublished = self.bare | self.unpublished
        self.bare = {}

    def features_written(self, n: int) -> None:
        """Take note that the features of the first `n` users that waited are in Redis."""
        self._n_features_lost = max(0, self._n_features_lost - n)

    def features_refused(self, user_ids: Iterable[str]) -> None:
        """Let users whose features Redis did not take wait again, behind the others."""
        self.stale_features.update(dict.fromkeys(user_ids))
        if self._n_features_lost:
            self._n_features_lost = len(self.stale_features)

    def published(self, user_id: str, offset: int) -> None:
        """Take note that a list made at `offset` is in Redis."""
        if self.out_of_reach:
            self.out_of_reach.pop(user_id, None)
        if self.bare:
            self.bare.pop(user_id, None)
        if user_id in self.unpublished:
            del self.unpublished[user_id]
            if user_id in self.state.users and self.state.users.last_offset(user_id) > offset:
                self.unpublished[user_id] = offset + 1

    def tell_deleted(self, first: int, behind: int) -> None:
        """Say that records, from an offset on, up to another one, are gone and were never folded."""
        logger.error(
            "records %d to %d of partition %d were deleted before being folded: the log's retention is too short for "
            "this lag. Going on at %d.",
            first,
            behind - 1,
            self.number,
            behind,
        )

    def dead_letter_sent(self, offset: int, ack: asyncio.Future[object]) -> None:
        """Remember the acknowledgement that every checkpoint above `offset` has to wait for."""
        self._dead_letters.append((offset, ack))

    @property
    def n_dead_letters_on_their_way(self) -> int:
        """Dead letters whose acknowledgement nobody has waited for yet."""
        return len(self._dead_letters)

    async def dead_letters_below(self, offset: int) -> None:
        """Return when all dead letters below an offset are acknowledged; raises what their sending raised."""
        letters = self._dead_letters
        while letters and letters[0][0] < offset:
            first = letters[0]
            await asyncio.shield(first[1])
            if letters and letters[0] is first:  # the fold and a checkpoint may wait for the same one
                letters.popleft()
