"""The publisher of users' lists: every touched user's list into Redis, soon, and never one that is older."""

import asyncio
import logging
import math
import time
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from app.settings import Settings
from app.store.store import Store
from app.worker.bell import Bell
from app.worker.gauge import LiveGauge
from app.worker.latency import Latency
from app.worker.live_view import LiveView
from app.worker.owned import OwnedPartition
from app.worker.share import rest_s
from models.blend_weights import Served
from models.errors import ServiceError, StateError
from tables.adaptive import AdaptiveRecommender
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tables.list_model import ListModels

logger = logging.getLogger("freshet")

LISTS_PER_CALL, LISTS_PER_CALL_BEHIND = 20, 200  # few, so that the first ones leave at once; many cost less each
LISTS_PER_SLICE = 20
CALLS = 3  # on their way to Redis at once
SHARE_BEHIND = 0.05  # of the time, behind a backlog: the fold comes first
PAUSE_S = 0.001  # between rounds: each has costs of its own, as much as two lists
IDLE_S = 0.05
BLEND, MODEL = "blend", "model"  # what is kept beside the state of a partition
REFUSED_TOLD_S = 60.0
DAY_S = 86_400


class Sent(NamedTuple):
    """One list on its way to Redis.

    Parameters
    ----------
    waiting
        When the first event that it answers was appended to the log (Unix ms) and folded (s); None for a rebuilt one.
    made_at
        When it was made, s.
    proposals
        What the blend learns from when it is known what the user took; None: nothing.
    """

    partition: OwnedPartition
    user_id: str
    offset: int
    waiting: tuple[int, float] | None
    made_at: float
    items: list[ListItem]
    proposals: Served | None


Made = tuple[list[tuple[str, bytes]], list[Sent]]


class ListPublisher:
    """Publishes lists while the agent folds on.

    A worker that keeps up sends every touched user's list at once; behind a backlog a user's list goes out at most
    every `republish_s`, in a twentieth of the time, the last one always. What Redis did not take stays unpublished and
    is tried again.

    Parameters
    ----------
    fields
        Item -> the fields of the catalogue that stand in lists, as it is by then; None: none do.
    """

    def __init__(
        self,
        settings: Settings,
        view: LiveView,
        store: Store,
        latency: Latency,
        gauge: LiveGauge,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        self._settings = settings
        self._view = view
        self._store = store
        self._latency = latency
        self._gauge = gauge
        self._fields = fields
        self._keys = settings.keys
        self._topic = settings.names.events
        self.blend = AdaptiveRecommender(settings.lists)
        view.newcomers = self.blend.newcomers
        self._model = ListModels(settings.fold, settings.lists, settings.list_size).blend
        self._bell = Bell()
        self._down_since: float | None = None
        self._rebuild_due = 0.0
        self._busy_s = 0.0
        self._calls: set[asyncio.Task[bool]] = set()
        self._on_their_way: set[str] = set()  # users whose lists Redis is being sent
        self._broken: BaseException | None = None
        self._refused_told = -math.inf
        self._n_changes = 0  # of what can be reached in Redis, as of the last turn
        self.n_published = 0
        self.n_refused = 0
        self.n_errors = 0

    def wake(self) -> None:
        """There are users whose lists are to go out."""
        self._bell.ring()

    async def run(self) -> None:
        """Publish for ever."""
        try:
            while True:
                await self._turn()
        finally:
            for call in self._calls:
                call.cancel()

    async def _turn(self) -> None:
        if self._broken is not None:
            raise self._broken
        self._attend()
        if self._n_changes != self._store.n_changes:
            self._n_changes = self._store.n_changes
            for partition in self._view.owned.values():
                partition.bring_back()
        if not self._is_due():
            wait_s = IDLE_S
            if any(partition.can_rebuild for partition in self._view.owned.values()):
                wait_s = min(wait_s, max(0.0, self._rebuild_due - time.monotonic()))
            await self._bell.heard(wait_s)
        if not self._view.caught_up:
            await asyncio.sleep(IDLE_S)
            return
        await self._let_the_fold_go_first()
        self._busy_s = 0.0
        await self._begin_round()
        await self._rebuild()
        await asyncio.sleep(PAUSE_S)

    def _attend(self) -> None:
        """Behind a backlog, what people did is no answer to lists that are made only now."""
        self._gauge.attend(is_behind=self._is_behind, now=time.monotonic())
        if self._is_behind:
            self.blend.forget()

    @property
    def _is_behind(self) -> bool:
        """Whether lists are not yet what they are while events come as they happen: by the fold, or by the factors."""
        return self._view.is_behind or any(each.lacks_factors for each in self._view.owned.values())

    async def _let_the_fold_go_first(self) -> None:
        """Wait as long as the share of the time asks for, and not after the backlog is done."""
        due = time.monotonic() + max(self._settings.republish_s, rest_s(self._busy_s, SHARE_BEHIND))
        while self._view.is_behind and time.monotonic() < due:  # noqa: ASYNC110 polled: many things end a backlog
            await asyncio.sleep(IDLE_S)

    async def flush(self, within_s: float) -> None:
        """Publish what is pending, at the end; what does not make it is published at the next start."""
        try:
            async with asyncio.timeout(within_s):
                while self._has_unpublished() and self._down_since is None and self._view.caught_up:
                    await self._round()
        except TimeoutError:
            logger.warning("%d lists are left for the next start", len(self._unpublished()))

    @property
    def _lists_per_call(self) -> int:
        return LISTS_PER_CALL_BEHIND if self._view.is_behind else LISTS_PER_CALL

    def _has_unpublished(self) -> bool:
        return any(partition.due for partition in self._view.owned.values())

    def _is_due(self) -> bool:
        partitions = self._view.owned.values()
        return any(user_id not in self._on_their_way for partition in partitions for user_id in partition.due)

    def _unpublished(self) -> list[tuple[OwnedPartition, str]]:
        return [(partition, user_id) for partition in self._view.owned.values() for user_id in partition.due]

    async def _round(self) -> None:
        """Everything unpublished as of now; all answers are there when this returns."""
        await self._begin_round()
        while self._calls:
            await asyncio.wait(self._calls)

    async def _begin_round(self) -> None:
        """Send everything unpublished that is not on its way, in parts; while one is written the next is made."""
        for partition in self._view.owned.values():
            if self._view.taught_to is not None:
                partition.follow_learner(self._view.taught_to.get(partition.number, 0))
            if partition.bare and self._view.filler().items:
                partition.offer()
        due = [each for each in self._unpublished() if each[1] not in self._on_their_way]
        size = self._lists_per_call
        for start in range(0, len(due), size):
            while len(self._calls) >= (CALLS if self._down_since is None else 1):
                await asyncio.wait(self._calls, return_when=asyncio.FIRST_COMPLETED)
            if start and self._down_since is not None:
                return
            part = due[start : start + size]
            if self._store.is_partial:
                part = self._within_reach(part)
            call = asyncio.create_task(self._send(await self._make(part)))
            self._calls.add(call)
            call.add_done_callback(self._answered)

    def _within_reach(self, users: list[tuple[OwnedPartition, str]]) -> list[tuple[OwnedPartition, str]]:
        """Those whose node of Redis is not away; no list is made for the others until it is back."""
        found = []
        for partition, user_id in users:
            if self._store.takes(self._keys.user_list(user_id)):
                found.append((partition, user_id))
            elif user_id in partition.unpublished:
                partition.set_aside(user_id, partition.unpublished[user_id])
        return found

    def _answered(self, call: asyncio.Task[bool]) -> None:
        self._calls.discard(call)
        if not call.cancelled() and call.exception() is not None:
            self._broken = call.exception()
        self._bell.ring()

    async def _rebuild(self) -> None:
        """A part of the lists that are all to be made anew, at the rate allowed and behind those of new events."""
        partition = next((each for each in self._view.owned.values() if each.can_rebuild), None)
        now = time.monotonic()
        if partition is None or now < self._rebuild_due:
            return
        queue = partition.rebuild  # another one by the time the lists are written, if Redis is emptied again
        part = list(islice(queue, self._lists_per_call))
        made = await self._make([(partition, user_id) for user_id in part])
        if await self._send(made):
            self._rebuild_due = now + len(part) / self._settings.rebuild_per_s
            sent = {each.user_id for each in made[1]}
            for user_id in part:
                queue.popleft()
                if user_id not in sent and user_id in partition.state.users:
                    queue.append(user_id)  # its partition was away for a moment
            if not partition.rebuild:
                logger.info("partition %d: all lists are in Redis again", partition.number)

    async def _make(self, users: list[tuple[OwnedPartition, str]]) -> Made:
        entries: list[tuple[str, bytes]] = []
        sent: list[Sent] = []
        began = time.perf_counter()
        self._learn()
        self._view.sync()
        filler = self._view.filler()
        for position, (partition, user_id) in enumerate(users):
            if position and position % LISTS_PER_SLICE == 0:
                self._busy_s += time.perf_counter() - began
                await asyncio.sleep(0)
                began = time.perf_counter()
                self._learn()
                self._view.sync()
                filler = self._view.filler()
            state = partition.state
            user = state.users.reader(user_id)
            if self._view.owned.get(partition.number) is not partition:
                continue  # it may come back, and then its lists are still to go out
            waiting = partition.waiting.pop(user_id, None)
            if user is None:
                partition.unpublished.pop(user_id, None)
                continue
            items = self.blend.recommend(self._view.items, partition.number, user, self._settings.list_size, filler)
            payload = encode_list(
                epoch=state.epoch,
                offset=user.last_offset,
                user_id=user_id,
                namespace=self._settings.namespace,
                generated_at_ms=int(time.time() * 1000),
                source=(self._topic, partition.number, user.last_offset),
                model=self._model,
                variant="default",
                items=items,
                fields=self._fields,
                revision=partition.revision,
            )
            entries.append((self._keys.user_list(user_id), payload))
            proposals = self.blend.made(self._view.items) if state.evaluator.includes(user_id) else None
            sent.append(Sent(partition, user_id, user.last_offset, waiting, time.perf_counter(), items, proposals))
        self._busy_s += time.perf_counter() - began
        self._on_their_way.update(each.user_id for each in sent)
        return entries, sent

    def own(self, partitions: Iterable[OwnedPartition]) -> None:
        """Go on with the weights that came with other partitions, if more was learned there.

        Lists that were made in another way than these are made anew.
        """
        self.blend.forget()
        for partition in partitions:
            self._tell_model(partition)
            try:
                self.blend.restore(partition.state.beside.get(BLEND, {}))
            except StateError as error:
                logger.warning("partition %d: %s. They are learned anew.", partition.number, error)
        self._keep_weights()

    def _tell_model(self, partition: OwnedPartition) -> None:
        """Have checkpoints say what makes the lists, from now on; those of another model are all made anew."""
        state = partition.state
        before = state.beside.get(MODEL, self._model)  # nobody said: as lists were left by an upgrade until now
        state.beside = {**state.beside, MODEL: self._model}
        if before != self._model:
            logger.info(
                "partition %d: %d lists are made anew: they were made by %s, the settings say %s now",
                partition.number,
                len(state.users),
                before,
                self._model,
            )
            partition.rebuild_lists()

    def took(self, user_id: str, item_id: str, how: int) -> None:
        """Take one positive event, by what it is a test of (`models.fold_arrays`); from any thread."""
        self._gauge.test(user_id, item_id)
        self.blend.took(user_id, item_id, how)

    def _learn(self) -> None:
        if self.blend.learn():
            self._keep_weights()

    def _keep_weights(self) -> None:
        """Have the next checkpoints of all partitions hold the weights as they are now."""
        if weights := self.blend.as_json():
            for partition in self._view.owned.values():
                partition.state.beside = {**partition.state.beside, BLEND: weights}

    async def _send(self, made: Made) -> bool:
        entries, sent = made
        is_at_the_end = not any(each.partition.lag or each.partition.rebuild for each in sent)
        try:
            result = await self._store.publish_lists(entries, self._settings.list_ttl_days * DAY_S)
        except ServiceError as error:
            for each in sent:
                if each.waiting is not None:
                    each.partition.waiting.setdefault(each.user_id, each.waiting)
            await self._back_off(error)
            return False
        finally:
            self._on_their_way.difference_update(each.user_id for each in sent)
        if self._down_since is not None:
            logger.info("Redis takes lists again, after %.1f s", time.monotonic() - self._down_since)
            self._down_since = None
        if result.away:
            sent = self._set_aside(made, set(result.away))
        if result.refused:
            self._take_note_of_refused(result.refused, is_at_the_end)
        self._take_note(sent)
        return True

    def _set_aside(self, made: Made, away: set[str]) -> list[Sent]:
        """Keep the users whose node of Redis is away; returns what was written."""
        for (key, _), each in zip(*made, strict=True):
            if key in away and self._store.takes(key):  # back since
                each.partition.unpublished.setdefault(each.user_id, each.offset)
            elif key in away:
                each.partition.set_aside(each.user_id, each.offset)
        return [each for (key, _), each in zip(*made, strict=True) if key not in away]

    def _take_note_of_refused(self, n: int, is_at_the_end: bool) -> None:
        """Newer lists than ours: after a crash until the log is folded up to them, and never at its end."""
        self.n_refused += n
        if is_at_the_end and time.monotonic() - self._refused_told > REFUSED_TOLD_S:
            self._refused_told = time.monotonic()
            logger.warning(
                "%d lists were refused: Redis holds newer ones, although the log is folded to its end. They are of "
                "another log, or of a topic that was made anew: `freshet reset` begins a new epoch.",
                n,
            )

    def _take_note(self, sent: list[Sent]) -> None:
        """Lists are in Redis: what that means for the partitions, the gauge and the histograms."""
        now, now_ms, is_behind = time.perf_counter(), time.time() * 1000, self._is_behind
        for each in sent:
            each.partition.published(each.user_id, each.offset)
            if not each.items:
                each.partition.bare[each.user_id] = each.offset
            if not is_behind and each.partition.state.evaluator.includes(each.user_id):
                self._gauge.published(each.user_id, each.items)
                self.blend.served(each.user_id, each.proposals)
            if each.waiting is not None:
                appended_ms, folded_at = each.waiting
                self._latency.add("list", 1000 * (each.made_at - folded_at))
                self._latency.add("redis", 1000 * (now - each.made_at))
                self._latency.add("total", now_ms - appended_ms)
        self.n_published += len(sent)

    async def _back_off(self, error: ServiceError) -> None:
        self.n_errors += 1
        if self._down_since is None:
            self._down_since = time.monotonic()
            logger.warning("%s Lists are kept and written later.", error)
        await asyncio.sleep(0.2)
