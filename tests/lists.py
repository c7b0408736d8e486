"""Lists of users, and the same worked out in plain Python."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from models.cooccurrence import CooccurrenceSettings
from models.following import FollowingSettings
from models.ids import hash64
from models.list_candidates import best_pairs, set_of, sum_rows, two_greatest
from models.list_kernel import amounts_of, known_pairs
from models.partitioner import partition_of
from models.source_names import CO_OCCURRENCE, HISTORY
from tables.fold_settings import FoldSettings
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tables.list_settings import ListSettings
from tables.newcomers import Newcomers
from tables.partition import PartitionState
from tables.recommend import Recommender
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.logs import Record
from tests.rank_fusion import RankFusion
from tests.saved import folded
from tests.users import add_recent, counted

PAIRS = CooccurrenceSettings(n_history=6, n_keep=10)
BOUNDS = FoldSettings(cooccurrence=PAIRS, following=FollowingSettings(n_back=10))
NOTHING = Filler([])
VERSIONS: list[str] = json.loads((Path(__file__).parent / "conformance" / "versions.json").read_text(encoding="utf-8"))[
    "ascending"
]


def view_of(*states: PartitionState) -> ItemView:
    """A view of all of them."""
    view = ItemView(states[0].settings.cooccurrence)
    for state in states:
        view.set_share(state.number, state.items)
    return view


def taught_view_of(*states: PartitionState) -> ItemView:
    """A view of all of them; of several, with the factors that one learner has of what they hand over."""
    view = view_of(*states)
    if len(states) > 1:
        learner = LearnerState(states[0].settings)
        for state in states:
            for lessons in state.take_lessons():
                learner.take(lessons)
        view.learned = LinkedFactors(learner.rows)
    return view


def categorized(view: ItemView, n: int) -> ItemView:
    """The view, with its items in `n` categories by their ids, and a fifth of them in none."""
    for item_id in view.ids:
        number = hash64(item_id) % (5 * n)
        view.categorize(item_id, f"c{number % n}" if number % 5 else None)
    return view


def recommend(
    view: ItemView, number: int, fusion: RankFusion, user: UserState, k: int, filler: Filler
) -> list[ListItem]:
    """A published list by the rank fusion of the fold."""
    weights = {CO_OCCURRENCE: fusion.cooccurrence_weight, HISTORY: fusion.history_weight}
    return Recommender(ListSettings("ranks", weights, fusion.depth)).recommend(view, number, user, k, filler)


def filler_of(view: ItemView, as_of_ms: int, k: int) -> Filler:
    """What stands behind lists before newcomers have taught anything."""
    return Newcomers().filler(view, as_of_ms, k)


def by_pairs(view: ItemView, user: UserState, k: int, filler: Filler) -> list[ListItem]:
    """A list of co-occurrence alone, with its own scores, and the filler behind it."""
    recent = np.array([view.index.get(item_id, -1) for item_id, _ in user.recent], np.int32)
    weights = np.array([weight for _, weight in counted(user)], np.float64)
    known, factors, known_at = known_pairs(recent, weights, view.known_norm, view.settings.decay)
    found: list[ListItem] = []
    if k > 0 and len(known):
        shares, place_of = view.pairs()
        sums, items, scores = np.zeros(len(view.ids) + 1), np.empty(k, np.int32), np.empty(k)
        sum_rows(shares, known, factors, sums, np.empty(len(sums), np.int32))
        seen, among = set_of(user.seen[: user.n_seen]), np.arange(len(view.ids), dtype=np.int32)
        amounts, left_out = amounts_of(sums, among, view.candidate_norm), user.n_seen + len(view.hidden)
        n = best_pairs(amounts, among, view.allowed, view.hashes, view.keys, seen, left_out, k, items, scores)
        gains, sources = np.zeros((n, 2)), np.full((n, 2), -1, np.int32)
        two_greatest(shares, known, factors, items[:n], place_of, gains, sources)
        for item, score, by in zip(items[:n].tolist(), scores[:n].tolist(), sources.tolist(), strict=True):
            because = tuple(user.recent[known_at[source]][0] for source in by if source >= 0)
            found.append(ListItem(view.ids[item], score, CO_OCCURRENCE, because))
    return view.fill(found, set_of(user.seen[: user.n_seen]), k, filler)


def partitions(records: list[Record], n: int, bounds: FoldSettings = BOUNDS) -> list[PartitionState]:
    """The log in n partitions, every record where its key belongs."""
    return [
        folded([each for each in records if partition_of(each.key or b"", n) == number], bounds, number, n)
        for number in range(n)
    ]


def brute_force(states: list[PartitionState], user: UserState) -> dict[str, dict[str, float]]:
    """Candidate -> history item -> what it gives, by the formula of models.cooccurrence, from canonical rows alone."""
    weight: dict[str, float] = defaultdict(float)
    pairs: dict[tuple[str, str], float] = defaultdict(float)
    people: dict[str, int] = defaultdict(int)
    for state in states:
        for item_id, slot in state.items.slots.items():
            _, n_for, n_against, _, own, _, _, neighbours, *_ = state.items.canonical(slot)
            people[item_id] += n_for - n_against  # type: ignore[operator]  # canonical is for the digest
            weight[item_id] += float(own)  # type: ignore[arg-type]  # canonical is for the digest
            for other, amount in neighbours:  # type: ignore[attr-defined]  # canonical is for the digest
                pairs[item_id, other] += amount
    bounds = states[0].settings.cooccurrence
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for step, (known, amount) in enumerate(reversed(counted(user))):
        for (item_id, other), pair in pairs.items():
            if item_id == known and weight[known] > 0:
                factor = amount * bounds.decay**step * weight[known] ** -bounds.known_exponent
                norm = weight[other] ** -bounds.candidate_exponent if weight[other] > 0 else 0.0
                found[other][known] = factor * pair * norm
    seen = set(user.seen[: user.n_seen].tolist())
    return {other: gave for other, gave in found.items() if hash64(other) not in seen and people[other] >= 0}


def users_of(states: list[PartitionState]) -> list[UserState]:
    """Everybody, and a stranger whose newest item nobody knows."""
    users = [state.users.get(user_id) for state in states for user_id in state.users]
    stranger = UserState()
    for item_id in ("i1", "i2", "unknown"):
        add_recent(stranger, item_id, 0.5, 6)
    return [*(user for user in users if user), stranger]


LISTS = [
    (
        "recs:user:u",
        encode_list(
            epoch=0,
            offset=1,
            user_id="u",
            namespace="",
            generated_at_ms=1,
            source=("user_events", 0, 1),
            model="m",
            variant="v",
            items=(),
        ),
    )
]
"""A list without items, under its user's key, as a store is given it."""
