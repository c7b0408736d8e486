"""The live gauge: how often people act on what was really published, and when that is not what it was.

For each positive event on an item new to its user, whether the item stood in the list that the worker had last
published for that user, while it kept up. It is no state: lists are kept for the users last published, and it starts at
nothing.
"""

import logging
import sys
from collections import OrderedDict, deque
from collections.abc import Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from models.source_names import SOURCE_NAMES, TRENDING
from tables.list_json import ListItem

if TYPE_CHECKING:
    from models.drift import Drift, DriftWatch

MAX_LISTS = 1024
DEPTHS = (10, 20)
WATCHED = DEPTHS[0]
UNWATCHED = 1000
"""Tests before a watch is begun: importing River takes a second of CPU and 67 MB. Until then the last are all."""

EASE_S = 10.0
"""For so long the worker has kept up by then: the second is not taken from a backlog."""

YIELD_S = 0.0005
"""The longest that importing keeps the interpreter from others; by default it is ten times as long."""

MAX_UNWATCHED = 10_000  # the last tests before: two microseconds each, at once

logger = logging.getLogger("freshet")


class LiveGauge:
    """Hits of published lists, over the users that the settings choose for evaluation.

    Attributes
    ----------
    n, hits
        Tests, and those that lists of each depth hit.
    hits_by_source
        Hits within the first 10 places, by the source that had proposed the item.
    beginning
        The thread that begins the watch, once there is one.
    """

    def __init__(self) -> None:
        self.n = 0
        self.hits = dict.fromkeys(DEPTHS, 0)
        self.hits_by_source = dict.fromkeys((*SOURCE_NAMES, TRENDING), 0)
        self.beginning: Thread | None = None
        self._lists: OrderedDict[str, tuple[tuple[str, ...], tuple[str, ...]]] = OrderedDict()
        self._watch: DriftWatch | None = None
        self._unwatched: deque[bool] = deque(maxlen=MAX_UNWATCHED)
        self._lock = Lock()
        self._at_ease_since: float | None = None

    def attend(self, *, is_behind: bool, now: float) -> None:
        """Begin the watch if there is something to watch and time for it; `now` is of a monotonic clock, in seconds.

        Behind a backlog all lists are forgotten: its events were there before people could see them.
        """
        if is_behind:
            self._at_ease_since = None
            self._lists.clear()
        elif self._at_ease_since is None:
            self._at_ease_since = now
        elif self.beginning is None and self.n >= UNWATCHED and now - self._at_ease_since >= EASE_S:
            self.beginning = Thread(target=self._begin, name="drift watch", daemon=True)
            self.beginning.start()

    def published(self, user_id: str, items: Sequence[ListItem]) -> None:
        """Remember a list that is in Redis now."""
        sources = tuple(item.source for item in items[:WATCHED])
        self._lists[user_id] = tuple(item.item_id for item in items[: max(DEPTHS)]), sources
        self._lists.move_to_end(user_id)
        if len(self._lists) > MAX_LISTS:
            self._lists.popitem(last=False)

    def test(self, user_id: str, item_id: str) -> None:
        """Take one positive event on an item new to its user; partitions fold in threads."""
        found = self._lists.get(user_id)
        if found is None:
            return
        items, sources = found
        place = items.index(item_id) if item_id in items else max(DEPTHS)
        drift = None
        with self._lock:
            self.n += 1
            for depth in DEPTHS:
                self.hits[depth] += place < depth
            if place < WATCHED:
                self.hits_by_source[sources[place]] = self.hits_by_source.get(sources[place], 0) + 1
            if self._watch is not None:
                drift = self._watch.add(place < WATCHED)
            else:
                self._unwatched.append(place < WATCHED)
        if drift is not None:
            _tell(drift)

    def as_json(self) -> dict[str, Any]:
        """Events tested and hit rates: of all, and of the last ones; how often the rate changed, and the last time."""
        last: Drift | None = None
        with self._lock:
            rates = {f"hr@{depth}": round(hits / self.n, 5) if self.n else None for depth, hits in self.hits.items()}
            n, n_recent, recent, n_drifts = self.n, self.n, rates[f"hr@{WATCHED}"], 0
            if self._watch is not None:
                n_recent, recent = self._watch.n_recent, round(self._watch.recent, 5)
                n_drifts, last = self._watch.n_drifts, self._watch.last
        return {
            "n": n,
            **rates,
            "recent": {"n": n_recent, f"hr@{WATCHED}": recent},
            "n_drifts": n_drifts,
            "last_drift": last and _shown(last),
        }

    def _begin(self) -> None:
        """Watch from here on, after the tests so far; in a thread of its own, because the import takes its time."""
        usual_s = sys.getswitchinterval()
        sys.setswitchinterval(YIELD_S)
        try:
            from models.drift import DriftWatch
        except ImportError as error:
            logger.warning("The live hit rate is not watched: %s. Install Freshet's dependencies again.", error)
            return
        finally:
            sys.setswitchinterval(usual_s)
        watch = DriftWatch()
        with self._lock:
            drifts = [watch.add(hit) for hit in self._unwatched]
            self._unwatched.clear()
            self._watch = watch
        for drift in drifts:
            if drift is not None:
                _tell(drift)


def _tell(drift: "Drift") -> None:
    level = logging.INFO if drift.now > drift.before else logging.WARNING
    logger.log(level, "The live hit rate at %d (lists as published) %s.", WATCHED, drift)


def _shown(drift: "Drift") -> dict[str, float | int]:
    rates = {"before": round(drift.before, 5), "now": round(drift.now, 5)}
    return {"at_test": drift.at_test, **rates, "n_now": drift.n_now}
