"""Prequential evaluation worked out in plain Python, beside a fold that evaluates nobody.

Before each event of an evaluated user every list is ranked anew by sorting, out of the rows as they stand then. Only
the logits of the factor model come from the model itself.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from math import exp, isfinite, log, log2
from typing import Any

import numpy as np

from models.events import Event, decode
from models.ids import hash64
from tables.fold_lists import FOLD_LISTS
from tables.fold_settings import FoldSettings
from tables.items import ItemShares
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.user_state import UserState
from tests import factors
from tests.logs import Record
from tests.users import counted

SIZE = 20
Lists = dict[str, list[str]]


@dataclass
class BruteEvaluation:
    """The evaluation of a log, event by event.

    Parameters
    ----------
    settings
        Of the fold whose evaluation is to be worked out.
    max_waiting
        Users whose lists are held.
    per_block
        Input events per entry of the series.
    """

    settings: FoldSettings
    max_waiting: int
    per_block: int
    n: int = 0
    hits: dict[str, list[int]] = field(default_factory=dict)
    ndcg: float = 0.0
    reciprocal: float = 0.0
    blocks: list[list[int]] = field(default_factory=list)
    n_evicted: int = 0
    state: PartitionState = field(init=False)
    held: dict[str, tuple[int, Lists]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = PartitionState(0, 1, replace(self.settings, evaluate_fraction=0.0))

    def replay(self, records: Iterable[Record]) -> "BruteEvaluation":
        """Test each event, then learn it."""
        for each in records:
            self._take(each)
        return self

    def stored(self) -> dict[str, Any]:
        """In the shape of `asdict(Prequential)`."""
        return {
            **{name: getattr(self, name) for name in ("n", "hits", "ndcg", "reciprocal", "blocks")},
            "first_block": 0,
        }

    def _take(self, record: Record) -> None:
        before = list(self.state.users)
        n_events = self.state.metrics.counts.get("events", 0)
        user = UserState.decode(known.encode()) if (known := self._user_of(record)) else UserState()
        lists = brute_lists(self.state.items, user)
        if not isinstance(self.state.fold(*record), str):
            return
        event = decode(record.key, record.value, record.timestamp, self.settings.rules)
        if self._is_evaluated(event.user_id):
            if event.user_id in self.held and self.held[event.user_id][0] == event.timestamp_ms:
                lists = self.held[event.user_id][1]
            self.held.pop(event.user_id, None)
            self.held[event.user_id] = event.timestamp_ms, lists
            if len(self.held) > self.max_waiting:
                del self.held[next(iter(self.held))]
                self.n_evicted += 1
            is_new = hash64(event.item_id) not in user.seen[: user.n_seen].tolist()
            if is_new and self.settings.rules.is_seen(event) and self.settings.rules.is_positive(event):
                self._test(event, lists, n_events)
        for user_id in set(before) - set(self.state.users):
            self.held.pop(user_id, None)

    def _test(self, event: Event, lists: Lists, n_events: int) -> None:
        self.n += 1
        while len(self.blocks) <= n_events // self.per_block:
            self.blocks.append([0, 0, 0])
        block = self.blocks[-1]
        block[0] += 1
        for source, items in lists.items():
            hits = self.hits.setdefault(source, [0, 0])
            hits[0] += event.item_id in items[:10]
            hits[1] += event.item_id in items
        block[1] += event.item_id in lists["list"][:10]
        block[2] += event.item_id in lists["popularity"][:10]
        if event.item_id in lists["list"][:10]:
            rank = 1 + lists["list"].index(event.item_id)
            self.ndcg += 1 / log2(rank + 1)
            self.reciprocal += 1 / rank

    def _user_of(self, record: Record) -> UserState | None:
        return self.state.users.get((record.key or b"\0").decode())

    def _is_evaluated(self, user_id: str) -> bool:
        hashed = blake2b(f"evaluate\0{user_id}".encode(), digest_size=8).digest()
        return int.from_bytes(hashed, "little") % 1_000_000 < self.settings.evaluate_fraction * 1_000_000


def brute_lists(items: ItemShares, user: UserState, lists: ListSettings = FOLD_LISTS, depth: int = SIZE) -> Lists:
    """What every source says: ids, best first; no list from a source that says anything that is not finite."""
    seen = set(user.seen[: user.n_seen].tolist())
    unwanted = {
        item_id
        for item_id, slot in items.slots.items()
        if items.n_against[slot] > items.n_for[slot] or not (items.weight[slot] > 0 or items.n_for[slot])
    }
    offered = [item_id for item_id in items.slots if hash64(item_id) not in seen and item_id not in unwanted]
    people = {item_id: float(items.n_for[items.slots[item_id]]) for item_id in offered}
    popular = ranked(offered, people.__getitem__, 0.0)
    if not any(item_id in items.slots for item_id, _ in user.recent):
        return dict.fromkeys(("list", "co_occurrence", "history", "popularity"), popular[: min(lists.depth, depth)])
    by_pairs, logits = _by_pairs(items, user), _by_factors(items, user)
    paired = ranked(offered, by_pairs.__getitem__, 0.0)[: lists.depth]
    near = ranked(offered, logits.__getitem__, float("-inf"))[: lists.depth]
    popular = popular[: lists.depth]
    odds = {item_id: exp(logits[item_id] - logits[near[0]]) for item_id in near}
    amounts = {"co_occurrence": (paired, by_pairs), "history": (near, odds), "popularity": (popular, people)}
    blended = by_ranks(amounts, lists) if lists.blend == "ranks" else by_log_shares(amounts, lists)
    best = ranked(list(blended), blended.__getitem__, float("-inf"))
    return {
        "list": [*best[:depth], *(item_id for item_id in popular[:depth] if item_id not in best[:depth])][:depth],
        **{name: source[:depth] for name, (source, _) in amounts.items()},
    }


Amounts = Mapping[str, tuple[list[str], Mapping[str, float]]]


def by_ranks(amounts: Amounts, lists: ListSettings) -> dict[str, float]:
    """Rank fusion of what sources propose."""
    fused: dict[str, float] = {}
    for name, (items, _) in amounts.items():
        for rank, item_id in enumerate(items if lists.weight(name) > 0 else []):
            fused[item_id] = fused.get(item_id, 0.0) + lists.weight(name) * ((lists.depth - rank) / lists.depth)
    return fused


def by_log_shares(amounts: Amounts, lists: ListSettings) -> dict[str, float]:
    """Weighted logs of shares; what a source did not propose has half of its least share."""
    weighed = {name: lists.weight(name) for name in amounts if lists.weight(name) > 0}
    blended = dict.fromkeys((item_id for name in weighed for item_id in amounts[name][0]), 0.0)
    for name, weight in weighed.items():
        items, scores = amounts[name]
        total = 0.0
        for item_id in items:
            total += scores[item_id]
        if not 0.0 < total < float("inf"):
            continue
        least = log(scores[items[-1]] / total * 0.5)
        for item_id in blended:
            blended[item_id] += weight * (log(scores[item_id] / total) if item_id in items else least)
    return blended


def ranked(item_ids: Sequence[str], score: Callable[[str], float], floor: float) -> list[str]:
    """By (-score, item_id), what lies above the floor; nothing if a score is not finite."""
    scores = {item_id: score(item_id) for item_id in item_ids}
    if not all(isfinite(each) for each in scores.values()):
        return []
    return sorted((each for each in item_ids if scores[each] > floor), key=lambda each: (-scores[each], each))


def _by_pairs(items: ItemShares, user: UserState) -> dict[str, float]:
    scores = dict.fromkeys(items.slots, 0.0)
    factor = 1.0
    for known, weight in reversed(counted(user)):
        if known in items.slots:
            total = float(items.weight[items.slots[known]])
            gain = factor * weight * (total**-items.settings.known_exponent if total > 0 else 0.0)
            neighbours, amounts = items.pairs.row(items.slots[known])
            for slot, amount in zip(neighbours.tolist(), amounts.tolist(), strict=True):
                scores[items.ids[slot] or ""] += gain * amount
        factor *= items.settings.decay
    for item_id, slot in items.slots.items():
        total = float(items.weight[slot])
        scores[item_id] *= total**-items.settings.candidate_exponent if total > 0 else 0.0
    return scores


def _by_factors(items: ItemShares, user: UserState) -> dict[str, float]:
    known = [(items.slots[item_id], weight) for item_id, weight in counted(user) if item_id in items.slots]
    slots, weights = np.array([slot for slot, _ in known], np.int32), np.array([weight for _, weight in known])
    logits = factors.scores(items.history, slots, weights, items.n_slots)
    return {item_id: float(logits[slot]) for item_id, slot in items.slots.items()}


def found(state: PartitionState) -> dict[str, Any]:
    """What the fold itself has counted."""
    return asdict(state.evaluator.prequential)
