"""The run: every record of a log is scored on the lists of before it, then folded in its partition."""

from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from app.evaluate.baselines import NAMES, OWN, Baselines, own_items
from app.evaluate.delayed import DelayedLists
from app.evaluate.delays import Delay
from app.evaluate.lists import Made, PublishedLists
from app.evaluate.scored import DEPTH, Frozen, Tests
from app.evaluate.shares import PartitionViews
from app.replay.fit import fit
from app.replay.records import LogRecord
from models.errors import InvalidEvent
from models.evaluation import EVENTS_PER_BLOCK
from models.event_types import returning_types
from models.events import Event, decode
from models.fold_arrays import FIRST, REPEATED, TESTED
from models.ids import hash64
from models.item_distances import DistancesByCategories, DistancesByUsers, ItemDistances
from models.list_metrics import usable
from models.partitioner import partition_of
from models.words import FOR, stance_of, time_of
from tables.evaluator import MAX_WAITING, Sample
from tables.fold_settings import FoldSettings
from tables.list_json import ListItem
from tables.partition import PartitionState
from tables.sources.source import Returns
from tables.user_state import UserState
from tables.view import Filler, ItemView

FILLER_EVERY = 100


@dataclass(frozen=True, slots=True)
class EvaluationSettings:
    """How a log is evaluated.

    Parameters
    ----------
    partitions
        In how many it is folded.
    shares_every
        Events of the log after which a partition sees what the others did.
    sample
        Fraction of the users, by a hash of the id, whose events are scored.
    delays
        Beside the list, those of so long ago are scored.
    categories
        Of items by id, for the diversity of lists; without any it goes by who took to what.
    """

    partitions: int = 1
    shares_every: int = 1000
    sample: float = 1.0
    delays: Sequence[Delay] = ()
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)


class Evaluation:
    """A log under evaluation, record by record.

    Attributes
    ----------
    distances
        Between items.
    tests
        What was scored.
    left_out
        Records that were not, by the reason.
    dead_letters, first_dead_letter
        Those of them that are no events, by their reason, and what is wrong with the first.
    fingerprint
        Of the settings that shape the state, as a worker has it.
    """

    def __init__(self, fold: FoldSettings, settings: EvaluationSettings, lists: PublishedLists, start_ms: int) -> None:
        self.settings = settings
        self.lists = lists
        self.fingerprint = fold.fingerprint()
        fold = replace(fold, evaluate_fraction=0.0)  # the fold's own lists are not asked for
        self.states = [PartitionState(number, settings.partitions, fold) for number in range(settings.partitions)]
        self.baselines = Baselines()
        self._delayed = DelayedLists(settings.delays)
        self.distances: ItemDistances = (
            DistancesByCategories(settings.categories, self.baselines.ids)
            if settings.categories
            else DistancesByUsers()
        )
        late = [delay.list_name for delay in settings.delays]
        self.returns = Returns.of(returning_types(fold.rules.types))
        own = OWN if self.returns.at_once else ()
        self.tests = Tests((*lists.names, *late, *NAMES, *own), self.distances)
        self.left_out: Counter[str] = Counter(
            dict.fromkeys(("not_positive", "repeat", "user_not_sampled", "dead_letter", "duplicate"), 0)
        )
        self.dead_letters: Counter[str] = Counter()
        self.first_dead_letter = ""
        self.n_records = 0
        self.users: dict[str, int] = {}  # numbers of the users evaluated
        self._rules = fold.rules
        self._partitioner = fold.partitioner
        self._start_ms = start_ms
        self._sample = Sample(settings.sample)
        self._views = PartitionViews(self.states, fold, settings.shares_every)
        self._views.categorize(settings.categories)
        self._fillers: list[tuple[int, int, Filler]] = [(-FILLER_EVERY, -1, Filler(()))] * settings.partitions
        self._waiting: list[OrderedDict[str, Frozen]] = [OrderedDict() for _ in self.states]

    def take(self, record: LogRecord) -> None:
        """Score a record, then fold it."""
        sent = fit(record)
        n = self.settings.partitions
        number = partition_of(sent.key, n, self._partitioner) if n > 1 else 0
        state = self.states[number]
        try:
            event = decode(sent.key, sent.value, self._start_ms, self._rules)
        except InvalidEvent as refusal:
            self._fold(state, sent)
            self._refused(refusal)
        else:
            self._take(state, event, sent)
        self.n_records += 1
        self._views.advance(self.n_records)

    def reading(self, number: int) -> tuple[ItemView, Filler]:
        """What the lists of a partition are made from: its view, and what stands behind its lists.

        The filler is made anew every hundred records, as live every second.
        """
        view = self._views.view(number)
        made_at, numbering, filler = self._fillers[number]
        if self.n_records - made_at >= FILLER_EVERY or numbering != view.numbering:
            clock_ms = self.clock_ms
            filler = self.lists.filler(view, clock_ms)
            self._fillers[number] = (self.n_records, view.numbering, filler)
            if self._delayed.delays:
                served = self.lists.served(view, number, UserState(), filler)
                self._delayed.keep(number, self._numbers(served), self.n_records, clock_ms, clock_ms)
        return view, filler

    @property
    def clock_ms(self) -> int:
        """The log's clock: that of the partition that is furthest."""
        return max(state.clock.now_ms for state in self.states)

    def _take(self, state: PartitionState, event: Event, sent: LogRecord) -> None:
        user = state.users.reader(event.user_id) or UserState()
        known = np.flatnonzero(user.seen[: user.n_seen] == hash64(event.item_id))
        before = user.words[known[0]] if len(known) else np.uint64(0)
        frozen, made = self._frozen(state, event, user) if self._sample.includes(event.user_id) else (None, None)
        last_item = user.recent[-1][0] if user.recent else None
        result = self._fold(state, sent)
        if not isinstance(result, str):
            if result is None:
                self.left_out["duplicate"] += 1
            else:
                self._refused(result)
            return
        if frozen is not None:
            self._wait(state.number, event.user_id, frozen)
            if made is not None:
                self.lists.given(event.user_id, made)
            if self._delayed.delays:
                self._keep(state, event)
        if not self._rules.is_positive(event):
            self.left_out["not_positive"] += 1
        elif before and not self._rules.types[event.event_type].may_return:
            self.left_out["repeat"] += 1
        else:
            if frozen is None:
                self.left_out["user_not_sampled"] += 1
            else:
                self._test(frozen, event, user, is_repeat=before != 0)
                is_first = not user.recent or user.recent_ms[0] == event.timestamp_ms
                how = REPEATED if before else FIRST if is_first else TESTED
                self.lists.took(event.user_id, event.item_id, how)
            if not before:
                self.distances.took(self.baselines.number(event.item_id), hash64(event.user_id))
        self._learn(event, before, last_item)

    def _learn(self, event: Event, before: np.uint64, last_item: str | None) -> None:
        """Have baselines count an event, by their user's word on the item before."""
        rules = self._rules
        is_for, people = rules.is_positive(event), 0
        if rules.is_seen(event) and event.timestamp_ms >= time_of(before):
            people = int(is_for) - (stance_of(before) == FOR)
        took = rules.is_seen(event) and rules.weight(event) > 0.0 and not rules.is_negative(event)
        self.baselines.learn(event.item_id, last_item if took else None, people=people, is_for=is_for)

    def _refused(self, refusal: InvalidEvent) -> None:
        self.left_out["dead_letter"] += 1
        self.dead_letters[refusal.reason] += 1
        self.first_dead_letter = self.first_dead_letter or f"{refusal.reason}: {refusal}"

    def _fold(self, state: PartitionState, sent: LogRecord) -> str | InvalidEvent | None:
        return state.fold(state.next_offset, self._start_ms, sent.key, sent.value)

    def _frozen(self, state: PartitionState, event: Event, user: UserState) -> tuple[Frozen, Made | None]:
        """The user's lists: those of the timestamp if there are any, else as they are now, which are made."""
        frozen = self._waiting[state.number].get(event.user_id)
        if frozen is not None and frozen.time_ms == event.timestamp_ms and event.user_id in state.users:
            return frozen, None
        number = state.number
        view, filler = self.reading(number)
        made = self.lists.make(view, number, user, filler)
        last_item = user.recent[-1][0] if user.recent else None
        seen = set(user.seen[: user.n_seen].tolist())
        numbered: dict[str, Sequence[int]] = {name: self._numbers(items) for name, items in made.items.items()}
        numbered |= self._delayed.lists(event.user_id, number, self.n_records, event.timestamp_ms)
        if self.returns.at_once:
            own = own_items(state, user, self.returns.again, DEPTH)
            numbered |= {name: [*map(self.baselines.number, items)] for name, items in own.items()}
        return Frozen(event.timestamp_ms, numbered | self.baselines.lists(seen, last_item, DEPTH)), made

    def _keep(self, state: PartitionState, event: Event) -> None:
        """Make the list that is served from this event on, for those who get it late."""
        view, filler = self.reading(state.number)
        user = state.users.reader(event.user_id) or UserState()
        served = self._numbers(self.lists.served(view, state.number, user, filler))
        self._delayed.keep(event.user_id, served, self.n_records + 1, event.timestamp_ms, self.clock_ms)

    def _numbers(self, items: list[ListItem]) -> list[int]:
        numbers = list(map(self.baselines.number, [item.item_id for item in items[:DEPTH]]))
        return list(usable(numbers, [item.score for item in items]))

    def _wait(self, number: int, user_id: str, frozen: Frozen) -> None:
        """Let lists wait for the next events of their timestamp; so many users' at most, as in the fold."""
        waiting = self._waiting[number]
        waiting[user_id] = frozen
        waiting.move_to_end(user_id)
        if len(waiting) > MAX_WAITING:
            waiting.popitem(last=False)

    def _test(self, frozen: Frozen, event: Event, user: UserState, *, is_repeat: bool) -> None:
        item = self.baselines.number(event.item_id)
        if frozen.number < 0:
            self.tests.begin(frozen, self.baselines.n_events, self.n_records)
        self.tests.add(
            frozen,
            item,
            user=self.users.setdefault(event.user_id, len(self.users)),
            block=self.n_records // EVENTS_PER_BLOCK,
            user_events=user.n_events,
            item_events=self.baselines.n_events[item],
            n_seen=user.n_seen,
            repeat=int(is_repeat),
        )
