"""How a partition's state differs from what the oracle expects, summed key by key so that errors cannot cancel."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from app.bench.oracle import Counts, Oracle
from models.event_types import type_codes
from models.windows import WINDOWS
from tables.partition import PartitionState
from tables.windows import WindowCounts

MAX_DIFFERENCES = 10
BUCKET_BITS = 40  # the layout that `tables.windows` describes: (type << 2 | window) << 40 | bucket

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Verdict:
    """What was found over all partitions judged so far.

    Parameters
    ----------
    expected, counted
        Events of all users: by the oracle, and in the state.
    lost, double
        Sums over users of what is missing, and of what is too much.
    pairs_wrong
        Pairs (item, other item) with another weight, missing and superfluous ones included, each way on its own; items
        with another summed weight; users with another history.
    windows_wrong
        Buckets, alive as of the latest time counted, and totals of users and items with another count; items with
        another number of events; a partition's own counters that differ.
    differences
        The first few differing keys.
    """

    expected: int = 0
    counted: int = 0
    lost: int = 0
    double: int = 0
    pairs_wrong: int = 0
    windows_wrong: int = 0
    differences: list[str] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        """Whether nothing differs."""
        return not (self.lost or self.double or self.pairs_wrong or self.windows_wrong)

    def judge(self, oracle: Oracle, state: PartitionState) -> None:
        """Compare one partition."""
        self._judge_users(oracle, state)
        self._judge_items(oracle, state)
        metrics, where = state.metrics, f"partition {state.number}, counter"
        expected = {
            "clock_ms": oracle.clock_ms,
            "dead_letters": oracle.n_dead_letters,
            "duplicates": oracle.n_duplicates,
            "events": oracle.n_events,
            "late": oracle.n_late,
        }
        found = {name: metrics.total(name) for name in expected} | {"clock_ms": state.clock.now_ms}
        self.windows_wrong += self._differing(where, expected, found)

    def _judge_users(self, oracle: Oracle, state: PartitionState) -> None:
        for user_id in sorted({*oracle.users, *state.users}):
            expected, found = oracle.users[user_id], state.users.get(user_id)
            where = f"partition {state.number}, user {user_id!r}"
            counted = found.n_events if found else 0
            self.expected += expected.n_events
            self.counted += counted
            self.lost += max(0, expected.n_events - counted)
            self.double += max(0, counted - expected.n_events)
            self._differing(where, {"events": expected.n_events}, {"events": counted})
            history, wanted = found.recent if found else [], [entry[1:] for entry in expected.history]
            if history != wanted:
                self.pairs_wrong += 1
                self._note(f"{where}: history {history}, expected {wanted}")
            windows = found.windows if found else WindowCounts()
            self._judge_windows(where, expected.counts, windows, state, oracle.horizon_ms)

    def _judge_items(self, oracle: Oracle, state: PartitionState) -> None:
        items = state.items
        pairs: dict[tuple[str, str], float] = {}
        for item_id in sorted({*oracle.items, *items.slots}):
            expected, slot = oracle.items[item_id], items.slots.get(item_id)
            where = f"partition {state.number}, item {item_id!r}"
            n_events, weight = (int(items.n_events[slot]), float(items.weight[slot])) if slot is not None else (0, 0.0)
            self.windows_wrong += self._differing(where, {"events": expected.n_events}, {"events": n_events})
            said = (int(items.n_for[slot]), int(items.n_against[slot])) if slot is not None else (0, 0)
            people = {"people for": expected.n_for, "people against": expected.n_against}
            self.pairs_wrong += self._differing(where, people, dict(zip(people, said, strict=True)))
            self.pairs_wrong += self._differing(where, {"weight": expected.weight}, {"weight": weight})
            windows = items.windows_of(slot) if slot is not None else WindowCounts()
            self._judge_windows(where, expected.counts, windows, state, oracle.horizon_ms)
            if slot is not None:
                neighbours, weights = items.pairs.row(slot)
                for other, amount in zip(neighbours.tolist(), weights.tolist(), strict=True):
                    pairs[item_id, items.ids[other] or f"(nothing in slot {other})"] = amount
        self.pairs_wrong += self._differing(f"partition {state.number}, pair", oracle.pairs, pairs)

    def _judge_windows(
        self, where: str, expected: Counts, found: WindowCounts, state: PartitionState, as_of_ms: int
    ) -> None:
        names = {code: name for name, code in type_codes(state.settings.rules.types).items()}
        totals = {names[number]: n for number, n in found.totals.items()}
        buckets: dict[tuple[str, str, int], int] = {}
        for key, n in found.buckets.items():
            code, bucket = divmod(key, 1 << BUCKET_BITS)
            window = WINDOWS[code & 3]
            if bucket > as_of_ms // window.step_ms - window.n_buckets:
                buckets[names[code >> 2], window.name, bucket] = n
        self.windows_wrong += self._differing(f"{where}, total of", expected.totals, totals)
        self.windows_wrong += self._differing(f"{where}, bucket", expected.alive(as_of_ms), buckets)

    def _differing(self, where: str, expected: Mapping[K, float], found: Mapping[K, float]) -> int:
        """How many keys have another value; one that is not there has 0."""
        if expected == found:
            return 0
        wrong = [key for key in {**expected, **found} if expected.get(key, 0) != found.get(key, 0)]
        for key in wrong:
            self._note(f"{where} {key}: {found.get(key, 0)}, expected {expected.get(key, 0)}")
        return len(wrong)

    def _note(self, difference: str) -> None:
        if len(self.differences) < MAX_DIFFERENCES:
            self.differences.append(difference)
