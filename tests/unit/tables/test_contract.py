"""What every source, blend, stage and other list promises as it is shipped, over the state that the fold makes.

A new source, blend or stage is in here by being registered (a stage also names the settings that ask for it). That
state is the same however it is cut, saved and loaded is in `test_chunking`.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.blend import BLENDS
from models.cooccurrence import CooccurrenceSettings
from models.evaluation import SOURCES as FOLD_SOURCES
from models.event_types import DEFAULT_TYPES, EventType
from models.events import EventRules
from models.factorization import FactorizationSettings
from models.following import FollowingSettings
from models.history_factors import HistoryFactorsSettings
from models.ids import hash64
from models.proposals import Ranked, space_for
from models.source_names import SOURCE_NAMES
from models.windows import TRENDING_WINDOWS
from models.words import FOR, word_of
from tables.adaptive import AdaptiveRecommender
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.recommend import SOURCES, STAGES, Recommender
from tables.sources.again import Again
from tables.sources.source import Returns, Source, asked
from tables.stages.stage import Stage
from tables.user_state import UserState
from tests.lists import categorized, filler_of, view_of
from tests.logs import START_MS, Record, item_name, made_log, record
from tests.saved import Topics, folded, in_bytes
from tests.users import add_recent, set_recent

MAX_ITEMS, MAX_USERS = 64, 16
LOOK = 500
FACTORS = HistoryFactorsSettings(n_factors=8, n_history=5, n_negatives=10)
SMALL = FoldSettings(
    cooccurrence=CooccurrenceSettings(n_history=5, n_keep=20),
    history=FACTORS,
    following=FollowingSettings(n_back=4),
    max_seen=16,
    max_users=MAX_USERS,
    max_items=MAX_ITEMS,
    evaluate_fraction=1.0,
)
Ranking = list[tuple[str, float]]
ASKED_FOR: dict[str, dict[str, Any]] = {"per_category": {"max_per_category": 2}}  # stage -> settings that ask for it
Read = Callable[[PartitionState, UserState, int], Ranking]


def of_source(source: Source, row: int) -> Read:
    """What one name of a source proposes."""

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        view, table = view_of(state), space_for(len(source.names), k)
        source.propose(asked(view, 0, user, filler_of(view, state.clock.now_ms, 200), LOOK), table)
        n = table.counts[row]
        ids = [view.ids[item] for item in table.items[row, :n].tolist()]
        return list(zip(ids, table.scores[row, :n].tolist(), strict=True))

    return read


def of_again(source: Source, row: int) -> Read:
    """What one name of a source of the user's own items proposes, of all there are."""
    plays = Returns.of((EventType("play", 1.0, 1, allow_repeats=True),))

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        view, table, had = view_of(state), space_for(len(source.names), k), UserState()
        had.seen = state.items.hashes[list(state.items.slots.values())]
        had.words, had.n_seen = np.full(len(had.seen), word_of(START_MS, 1, 2, 0, FOR), np.uint64), len(had.seen)
        source.propose(asked(view, 0, had, filler_of(view, state.clock.now_ms, 200), LOOK, plays), table)
        n = table.counts[row]
        ids = [view.ids[item] for item in table.items[row, :n].tolist()]
        return list(zip(ids, table.scores[row, :n].tolist(), strict=True))

    return read


def of_blend(name: str) -> Read:
    """The published list by a blend of all sources, the filler behind it."""
    lists = ListSettings(name, dict.fromkeys(SOURCE_NAMES, 0.5))

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        view = view_of(state)
        made = AdaptiveRecommender(lists).recommend(view, 0, user, k, filler_of(view, state.clock.now_ms, 200))
        return [(item.item_id, item.score) for item in made]

    return read


def of_stage(name: str) -> Read:
    """The published list with one stage and no other, of items in five categories."""
    lists = ListSettings("log_shares", dict.fromkeys(SOURCE_NAMES, 0.5), **ASKED_FOR[name])

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        view = categorized(view_of(state), 5)
        recommender = Recommender(lists, stages={name: STAGES[name]})
        made = recommender.recommend(view, 0, user, k, filler_of(view, state.clock.now_ms, 200))
        return [(item.item_id, item.score) for item in made]

    return read


def of_fold(name: str) -> Read:
    """One of the fold's own lists, scored by place."""

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        slots = state.evaluator.lists.sources(user, k)[name].tolist()
        return [(state.items.ids[slot] or "", -float(place)) for place, slot in enumerate(slots)]

    return read


def of_trends(window: int) -> Read:
    """What trends in a window."""

    def read(state: PartitionState, user: UserState, k: int) -> Ranking:
        view = view_of(state)
        return [(view.ids[item], score) for item, score in view.trending(window, state.clock.now_ms, k)]

    return read


def similar(state: PartitionState, user: UserState, k: int) -> Ranking:
    """The neighbours of the user's newest item."""
    return view_of(state).similar(user.recent[-1][0], k) if user.recent else []


READERS: dict[str, Read] = {
    **{
        f"source {name}": (of_again if isinstance(source, Again) else of_source)(source, row)
        for source in SOURCES
        for row, name in enumerate(source.names)
    },
    **{f"blend {name}": of_blend(name) for name in BLENDS},
    **{f"stage {name}": of_stage(name) for name in STAGES},
    **{f"fold {name}": of_fold(name) for name in FOLD_SOURCES},
    **{f"trending {window.name}": of_trends(number) for number, window in enumerate(TRENDING_WINDOWS)},
    "similar": similar,
}
every_reader = pytest.mark.parametrize("read", READERS.values(), ids=READERS)
every_stage = pytest.mark.parametrize("name", STAGES)
ORDERED = {name: read for name, read in READERS.items() if not name.startswith("stage ")}


def log_of(n: int, n_items: int, seed: int = 1) -> list[Record]:
    """A log in which half as many users as items do everything that users do."""
    return made_log(seed, n, n_items // 2, n_items)


def fold(records: Iterable[Record], settings: FoldSettings = SMALL) -> PartitionState:
    """The state, as a worker makes it."""
    state = PartitionState(0, 1, settings)
    state.fold_many(records)
    return state


def stranger(*item_ids: str) -> UserState:
    """Somebody who has just come by some items."""
    user = UserState()
    for item_id in item_ids:
        add_recent(user, item_id, 1.0, 5)
    return user


def rater(state: PartitionState) -> UserState:
    """A user who has rated, but has seen nothing yet."""
    for user_id in state.users:
        user = state.users.get(user_id)
        if user is not None and user.factors is not None and user.recent:
            user.n_seen = 0
            return user
    raise AssertionError("nobody has rated")


def n_bytes(part: Any, counted: set[int] | None = None) -> int:
    """Room of everything that an object of ours holds: arrays by their bytes, entries of containers, texts."""
    counted = set() if counted is None else counted
    if isinstance(part, np.ndarray):
        return part.nbytes
    if isinstance(part, str | bytes | bytearray):
        return len(part)
    if id(part) in counted:
        return 0
    counted.add(id(part))
    if isinstance(part, dict):
        return sum(16 + n_bytes(key, counted) + n_bytes(value, counted) for key, value in part.items())
    if isinstance(part, list | tuple | set):
        return sum(8 + n_bytes(each, counted) for each in part)
    if type(part).__module__.split(".")[0] not in ("models", "tables"):
        return 8
    slots = [name for kind in type(part).__mro__ for name in getattr(kind, "__slots__", ())]
    held = [*vars(part).values()] if hasattr(part, "__dict__") else []
    return sum(n_bytes(each, counted) for each in (*held, *(getattr(part, name) for name in slots)))


@every_reader
def test_unseen_ids_leave_the_state_alone(read: Read) -> None:
    """Asking for users and items nobody has seen makes nothing larger and changes no byte."""
    state = fold(log_of(500, 100))
    before, size = in_bytes(state), n_bytes(state)
    for number in range(100):
        assert state.users.get(f"stranger {number}") is None
        read(state, stranger(f"unknown {number}"), 10)

    assert (in_bytes(state), n_bytes(state)) == (before, size)


@every_reader
def test_reading_changes_no_byte(read: Read) -> None:
    """Lists can be asked for at any time, between any two events."""
    records = log_of(300, 40)
    state = PartitionState(0, 1, SMALL)
    for start in range(0, 300, 20):
        state.fold_many(records[start : start + 20])
        for user_id in list(state.users)[:3]:
            user = state.users.get(user_id)
            assert user is not None
            read(state, user, 10)

    assert in_bytes(state) == in_bytes(fold(records))


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"history": replace(FACTORS, seed=1)},
        {"ratings": FactorizationSettings(seed=1)},
    ],
    ids=["other log", "other seed of draws", "other seed of ratings"],
)
def test_same_seed_and_events_make_the_same_bytes(other: dict[str, Any]) -> None:
    """Two runs agree in every byte; another log or another seed makes others."""
    different = fold(log_of(1_000, 100, seed=1 if other else 2), replace(SMALL, **other))

    assert in_bytes(fold(log_of(1_000, 100))) == in_bytes(fold(log_of(1_000, 100)))
    assert in_bytes(fold(log_of(1_000, 100)))["items"] != in_bytes(different)["items"]


def test_lists_of_a_state_stored_and_read_in_mid_stream() -> None:
    """A state that is saved and loaded every 37 events goes on as if it never was, and lists the same to everybody."""
    records, state = log_of(1_000, 100), PartitionState(0, 1, SMALL)
    topics = Topics()
    for start in range(0, 1_000, 37):
        state.fold_many(records[start : start + 37])
        topics.save(state.cut(-1))
        state = Topics.load(PartitionState(0, 1, SMALL), topics.history)
    straight = fold(records)

    assert in_bytes(state) == in_bytes(straight)
    for read in READERS.values():
        for user in (rater(straight), stranger("i1", "i2")):
            assert read(state, user, 20) == read(straight, user, 20)


def test_memory_is_bounded() -> None:
    """Ten times as many ids take no more memory than a full state has."""
    full, crowded = fold(log_of(3_000, 2 * MAX_ITEMS)), fold(log_of(30_000, 20 * MAX_ITEMS))

    assert all(MAX_ITEMS - 4 <= len(state.items) <= MAX_ITEMS for state in (full, crowded))
    assert len(full.users) == len(crowded.users) == MAX_USERS
    assert n_bytes(crowded) < 1.5 * n_bytes(full)


@every_reader
def test_k_larger_than_the_catalogue(read: Read) -> None:
    """All there is, each item once; nothing at all from an empty state."""
    state = fold(log_of(1_000, 20))
    for number in range(20):
        state.fold(*record(1_000 + number, "u1", item_name(number), at_ms=state.clock.now_ms))
    ranked = read(state, rater(state), 10_000)

    assert 10 < len(ranked) == len({item_id for item_id, _ in ranked}) <= len(state.items) == 20
    assert read(PartitionState(0, 1, SMALL), stranger("i0"), 10) == []


@every_reader
@pytest.mark.parametrize("weight", [1e-300, 1e-160, 1.0, 1e6])
def test_no_score_is_nan_or_infinite(read: Read, weight: float) -> None:
    """Weights at the ends of what settings allow, and ratings at those of the scale, make finite scores that fall."""
    types = {**DEFAULT_TYPES, "view": EventType("view", weight, 1)}
    log = [record(number, f"u{number % 7}", f"i{number % 11}") for number in range(200)]
    log += [record(200 + n, f"u{n % 7}", f"i{n % 5}", "rating", value=(0.5, 5)[n % 2]) for n in range(20)]
    state = fold(log, replace(SMALL, rules=EventRules(types=types)))
    users = [user for user in map(state.users.get, state.users) if user is not None]
    for user in (*users, rater(state), stranger("i1", "i2")):
        scores = [score for _, score in read(state, user, 5)]
        assert all(map(math.isfinite, scores))
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("read", ORDERED.values(), ids=ORDERED)
def test_lists_are_ordered_by_score_and_then_by_id(read: Read) -> None:
    """Among equal scores, many here, the lower item_id comes first; a shorter list is a beginning."""
    numbers = (5, 3, 9, 1, 7, 2, 8)
    events = [(f"u{number}", item_id) for number in numbers for item_id in ("i0", f"i{number}")]
    state = folded([record(n, *event, "rating", value=5) for n, event in enumerate(events)], SMALL)
    state.items.history.rows[:] = state.items.history.rows[0]
    state.items.history.stale[:] = True
    state.items.ratings.rows[:] = state.items.ratings.rows[0]
    user = rater(state)
    set_recent(user, [("i0", 1.0)])
    ranked = read(state, user, 20)

    assert [item_id for item_id, _ in ranked if item_id != "i0"] == [f"i{number}" for number in sorted(numbers)]
    assert ranked == sorted(ranked, key=lambda entry: (-entry[1], entry[0]))
    for k in range(1, 8):
        assert [item_id for item_id, _ in read(state, user, k)] == [item_id for item_id, _ in ranked[:k]]


def ranked(items: Iterable[int], n_sources: int, seed: int) -> Ranked:
    """A list of some items with many equal scores, proposed by any of so many sources."""
    rng, numbers = np.random.default_rng(seed), np.array([*items], np.int32)
    scores = np.sort(rng.integers(1, 9, len(numbers)) / 8.0)[::-1].copy()
    sources = rng.integers(0, n_sources, len(numbers)).astype(np.int32)
    places = rng.integers(-1, 50, (len(numbers), n_sources)).astype(np.int32)
    return Ranked(len(numbers), rng.permutation(numbers), scores, sources, places)


@every_stage
@pytest.mark.parametrize("n", [0, 1, 7, 60])
@pytest.mark.parametrize("k", [1, 5, 30, 10_000])
def test_a_stage_moves_items_and_leaves_them_out(name: str, n: int, k: int) -> None:
    """Off unless settings ask for it; then it returns what it was given, and nothing else."""
    settings = ListSettings(**ASKED_FOR[name])
    stage, again = STAGES[name](settings), STAGES[name](settings)
    assert stage is not None and again is not None
    assert stage.name == name and STAGES[name](ListSettings()) is None
    check_stage(stage, again, n, k)


def check_stage(stage: Stage, again: Stage, n: int, k: int) -> None:
    """What it returns was given: each item once, with its source and places; scores stay with the places.

    It writes to nothing that it is given, and says the same again, also when it is made anew.
    """
    view, n_moved = categorized(view_of(fold(log_of(1_000, 60))), 5), 0
    request = asked(view, 0, stranger("i1", "i2"), filler_of(view, 0, 200), LOOK)
    for seed in range(20):
        given = ranked(range(min(n, len(view.ids))), 3, seed)
        before = [each.tolist() for each in given[1:]]
        made = stage.rank(given, request, k)
        at = {item: place for place, item in enumerate(given.items.tolist())}
        order = [at[item] for item in made.items.tolist()]
        n_moved += order != sorted(order)
        assert len(set(order)) == len(order) == made.n <= given.n
        assert made.scores.tolist() == given.scores[: made.n].tolist()
        assert made.sources.tolist() == given.sources[order].tolist()
        assert made.places.tolist() == given.places[order].tolist()
        for other in (stage.rank(given, request, k), again.rank(given, request, k)):
            assert [each.tolist() for each in other[1:]] == [each.tolist() for each in made[1:]]
        assert [each.tolist() for each in given[1:]] == before
    assert n_moved > 0 or n < 7 or k == 1, "it does something"


@every_stage
@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("k", [1, 10, 10_000])
def test_a_list_with_a_stage_is_made_of_what_it_would_be_made_of(name: str, blend: str, k: int) -> None:
    """Allowed and unseen items, each once; where both name an item, reasons and source are those without the stage."""
    state = fold(log_of(1_000, 60))
    view = categorized(view_of(state), 5)
    view.forbid(view.ids[::9])
    filler, weights = filler_of(view, state.clock.now_ms, 200), dict.fromkeys(SOURCE_NAMES, 0.5)
    with_it = Recommender(ListSettings(blend, weights, **ASKED_FOR[name]), stages={name: STAGES[name]})
    n_own = n_other = 0
    for user in (*filter(None, map(state.users.get, state.users)), stranger("i1", "i2"), UserState()):
        made = with_it.recommend(view, 0, user, k, filler)
        whole = Recommender(ListSettings(blend, weights)).recommend(view, 0, user, 10_000, filler)
        expected = {item.item_id: (item.source, item.because) for item in whole}
        assert len({item.item_id for item in made}) == len(made) <= k
        assert not {item.item_id for item in made} & view.hidden
        assert not {hash64(item.item_id) for item in made} & {*user.seen[: user.n_seen].tolist()}
        assert {item.item_id: (item.source, item.because) for item in made}.items() <= expected.items()
        n_own += sum(1 for item in made if item.because)
        n_other += [item.item_id for item in made] != [item.item_id for item in whole[: len(made)]]
    assert n_own and (n_other or k == 1)


def test_every_kind_of_list_is_here() -> None:
    """Every registered source by its names, every blend and stage, every list of the fold and every window."""
    assert {f"source {name}" for name in SOURCE_NAMES} | {f"blend {name}" for name in BLENDS} <= READERS.keys()
    assert ASKED_FOR.keys() == STAGES.keys()
    n_made = len(SOURCE_NAMES) + len(BLENDS) + len(STAGES)
    assert len(READERS) == n_made + len(FOLD_SOURCES) + len(TRENDING_WINDOWS) + 1
