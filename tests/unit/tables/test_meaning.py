"""What events mean: who is for an item and who against it, and where it stands in lists because of that."""

from collections.abc import Sequence
from typing import Any

import pytest

from models.errors import InvalidEvent
from models.event_types import DEFAULT_TYPES, WITHDRAW, EventType
from models.events import EventRules
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings
from tables.partition import PartitionState
from tables.recommend import Recommender
from tests.lists import filler_of, view_of
from tests.logs import DAY_MS, HOUR_MS, MINUTE_MS, START_MS, Record, record
from tests.saved import folded

Said = tuple[str, str, str] | tuple[str, str, str, float]
NOW_MS = START_MS + 365 * DAY_MS
WEEK = 2


def log(said: Sequence[Said], at_ms: int = NOW_MS, step_ms: int = MINUTE_MS, first: int = 0) -> list[Record]:
    """Records of (user, item, type) or (user, item, "rating", value), one a minute."""
    records = []
    for number, each in enumerate(said):
        user_id, item_id, event_type, *value = each
        more: dict[str, object] = {"value": value[0]} if value else {}
        records.append(record(first + number, user_id, item_id, event_type, at_ms + number * step_ms, **more))
    return records


def by_many(n: int, *said: tuple[Any, ...], start: int = 0) -> list[Said]:
    """What each of `n` users says."""
    return [(f"x{number}", *each) for number in range(start, start + n) for each in said]


def rules_with(*types: EventType, **rules: Any) -> FoldSettings:
    """Settings that know more types."""
    return FoldSettings(EventRules(types={**DEFAULT_TYPES, **{each.name: each for each in types}}, **rules))


def recommended(state: PartitionState, user_id: str, k: int = 10) -> list[Any]:
    """A user's published list."""
    view, user = view_of(state), state.users.get(user_id)
    assert user is not None
    return Recommender(ListSettings()).recommend(view, 0, user, k, filler_of(view, state.clock.now_ms, 50))


def listed(state: PartitionState, user_id: str, k: int = 10) -> list[str]:
    """The items of a user's published list."""
    return [item.item_id for item in recommended(state, user_id, k)]


def trending(state: PartitionState, window: int = WEEK) -> list[str]:
    """What trends, best first."""
    view = view_of(state)
    return [view.ids[item] for item, _ in view.trending(window, state.clock.now_ms, 20)]


def default_list(state: PartitionState) -> list[str]:
    """What newcomers get."""
    view = view_of(state)
    return [view.ids[item] for item, _, _ in filler_of(view, state.clock.now_ms, 20).items]


def similar(state: PartitionState, item_id: str) -> list[str]:
    """The neighbours of an item."""
    return [other for other, _ in view_of(state).similar(item_id, 20)]


def history(state: PartitionState, user_id: str) -> list[str]:
    """A user's history, oldest first."""
    user = state.users.get(user_id)
    assert user is not None
    return [item_id for item_id, _ in user.recent]


def people(state: PartitionState, item_id: str) -> tuple[int, int]:
    """How many are for an item and against it."""
    slot = state.items.slots[item_id]
    return int(state.items.n_for[slot]), int(state.items.n_against[slot])


@pytest.mark.parametrize("against", [("dislike",), ("rating", 1)], ids=["dislike", "one star"])
def test_what_most_are_against_stands_nowhere(against: tuple[Any, ...]) -> None:
    """Not in what trends, nor in the default list, nor among the similar, nor in a list; the fold's own included."""
    said = [("x1", "A", "like"), *by_many(20, ("A", "like"), ("X", *against)), *by_many(5, ("A", "like"), start=30)]
    state = folded(log([*said, ("fan", "B", "like"), ("fan", "A", "like")]))

    assert people(state, "X") == (0, 20)
    assert "X" not in [*trending(state), *default_list(state), *similar(state, "A"), *listed(state, "fan")]
    user = state.users.get("fan")
    assert user is not None
    ranked = state.evaluator.lists.sources(user)
    assert state.items.slots["X"] not in [slot for slots in ranked.values() for slot in slots.tolist()]


def test_what_more_are_for_than_against_is_offered() -> None:
    """Some are always against."""
    said = by_many(9, ("A", "like"), ("X", "like")) + by_many(8, ("A", "like"), ("X", "dislike"), start=20)
    state = folded(log([*said, ("fan", "A", "like")]))

    assert people(state, "X") == (9, 8)
    assert "X" in default_list(state)
    assert "X" in similar(state, "A")
    assert listed(state, "fan")[0] == "X"


def test_dislikes_lead_to_nothing() -> None:
    """What goes with a disliked item is not offered for it, and nothing is "because" of it."""
    said = by_many(20, ("h1", "like"), ("h2", "like"), ("h3", "like"))
    said += by_many(20, ("r1", "like"), ("r2", "like"), ("r3", "like"), start=20)
    state = folded(log([*said, ("me", "r1", "like"), ("me", "h1", "dislike"), ("me", "h2", "dislike")]))
    items = recommended(state, "me")

    assert {item.item_id for item in items[:2]} == {"r2", "r3"}
    assert {reason for item in items for reason in item.because} == {"r1"}


@pytest.mark.parametrize(
    ("liked", "disliked"),
    [(("like",), ("dislike",)), (("rating", 5), ("rating", 1)), (("like",), ("rating", 2)), (("view",), ("dislike",))],
)
def test_the_latest_word_counts(liked: tuple[Any, ...], disliked: tuple[Any, ...]) -> None:
    """Like, then dislike: the item leaves the history and popularity; liked again it comes back."""
    said: list[Said] = [("me", "a", *liked), ("me", "b", "like"), ("me", "a", *disliked)]
    state = folded(log(said))
    assert (history(state, "me"), people(state, "a")) == (["b"], (0, 1))

    state = folded(log([*said, ("me", "a", *liked)]))
    assert (history(state, "me"), people(state, "a")) == (["b", "a"], (1, 0))


def test_the_latest_is_so_by_event_time() -> None:
    """A dislike of last week that comes after the like of today changes nothing."""
    records = log([("me", "a", "like"), ("me", "b", "like")])
    records += log([("me", "a", "dislike")], NOW_MS - 7 * DAY_MS, first=2)
    state = folded(records)

    assert (history(state, "me"), people(state, "a")) == (["a", "b"], (1, 0))


def test_bad_ratings_do_not_trend() -> None:
    """Few good ones go before many bad ones."""
    state = folded(log(by_many(20, ("BAD", "rating", 1)) + by_many(8, ("GOOD", "rating", 5), start=30)))

    assert trending(state) == default_list(state) == ["GOOD"]


def test_reloads_of_one_do_not_beat_many() -> None:
    """300 events of a visitor count about as one person's, among the similar and in the default list."""
    said = by_many(40, ("R1", "view"), ("R2", "view"))
    records = log([*said, ("bot", "R1", "view"), *[("bot", "JUNK", "view")] * 300], step_ms=1_000)
    state = folded(records)
    neighbours = dict(view_of(state).similar("R1", 5))

    assert similar(state, "R1")[0] == "R2"
    assert neighbours["R2"] > 5 * neighbours["JUNK"]
    assert default_list(state)[:3] == ["R1", "R2", "JUNK"]
    assert people(state, "JUNK") == (1, 0)


def test_toggles_of_one_do_not_beat_many() -> None:
    """Like, dislike, like, 200 times."""
    toggles: list[Said] = [("bot", "JUNK", ("like", "dislike")[number % 2]) for number in range(201)]
    said = by_many(50, ("R1", "view"), ("R2", "view"))
    state = folded(log([*said, ("bot", "R1", "view"), *toggles], step_ms=1_000))

    assert similar(state, "R1")[0] == "R2"
    assert people(state, "JUNK") == (1, 0)


@pytest.mark.parametrize("window", [0, 1, 2])
def test_a_robot_makes_no_trend(window: int) -> None:
    """20,000 clicks of one within minutes stand behind 200 people's."""
    said = [*by_many(200, ("R", "click")), *[("bot", "J", "click")] * 20_000]
    state = folded(log(said, step_ms=20), FoldSettings(evaluate_fraction=0.0))

    assert trending(state, window)[:2] == ["R", "J"]
    slot = state.items.slots["J"]
    assert state.items.n_events[slot] == 20_000, "what is counted is counted"


def test_what_was_only_shown_is_not_popular() -> None:
    """Impressions and skips are no word on an item."""
    records = log(
        [*by_many(50, ("PUSHED", "impression"), ("PUSHED", "skip")), *by_many(20, ("LOVED", "like"), start=60)],
        NOW_MS - 30 * DAY_MS,
    )
    state = folded([*records, *log(by_many(3, ("new", "impression"), start=90), first=len(records))])

    assert default_list(state) == ["LOVED"]


def test_an_import_does_not_become_todays_taste() -> None:
    """Purchases of last year enter the history behind today's clicks, as far as there is room."""
    crowd = by_many(30, *[(f"t{number}", "view") for number in range(6)])
    crowd += by_many(30, *[(f"o{number}", "view") for number in range(30)], start=40)
    records = log(crowd, NOW_MS - HOUR_MS, step_ms=1_000)
    records += log([("me", f"t{number}", "click") for number in range(3)], NOW_MS, first=len(records))
    old: list[Said] = [("me", f"o{number}", "purchase") for number in range(20)]
    state = folded([*records, *log(old, NOW_MS - 300 * DAY_MS, first=len(records))])

    assert history(state, "me") == [f"o{number}" for number in range(3, 20)] + ["t0", "t1", "t2"]
    assert listed(state, "me")[0] in ("t3", "t4", "t5")
    user = state.users.get("me")
    assert user is not None and user.n_seen == 23, "what did not enter is seen all the same"


def test_what_is_taken_back() -> None:
    """A withdrawn item leaves history and popularity, stays out of the user's list, and may be taken to again."""
    settings = rules_with(EventType("unlike", 0.0, 0, effect=WITHDRAW))
    said = [*by_many(3, ("a", "like"), ("b", "like")), ("me", "a", "like"), ("me", "b", "like"), ("me", "a", "unlike")]
    state = folded(log(said), settings)
    assert (history(state, "me"), people(state, "a")) == (["b"], (3, 0))
    assert listed(state, "me") == ["b"], "all is seen: better something than nothing, but not what was taken back"
    state = folded(log([*said, ("x1", "c", "like")]), settings)
    assert listed(state, "me") == ["c"]

    state = folded(log([*said, ("me", "a", "like")]), settings)
    assert (history(state, "me"), people(state, "a")) == (["b", "a"], (4, 0))


def test_what_is_taken_back_trends_no_more() -> None:
    """Nor counts what was liked before a dislike; liked again it counts once more."""
    settings = rules_with(EventType("unlike", 0.0, 0, effect=WITHDRAW))
    said = by_many(20, ("X", "like"), ("X", "unlike")) + by_many(8, ("GOOD", "like"), start=30)
    assert trending(folded(log(said), settings)) == default_list(folded(log(said), settings)) == ["GOOD"]
    for window in range(3):
        liked = by_many(20, ("X", "dislike"), ("X", "like")) + by_many(8, ("GOOD", "like"), start=30)
        assert trending(folded(log(liked, step_ms=1_000)), window) == ["X", "GOOD"]
    half = by_many(20, ("X", "like")) + by_many(15, ("X", "dislike")) + by_many(8, ("GOOD", "like"), start=30)
    state = folded(log([*half, *by_many(12, ("X", "like"), start=50)]))
    assert people(state, "X") == (17, 15)
    assert dict(view_of(state).trending(WEEK, NOW_MS, 5))[view_of(state).index["X"]] == pytest.approx(17)


def test_nobody_gets_what_they_are_against() -> None:
    """Where all is seen, what the user is for comes again, and what the user is against only where nothing else is."""
    said = by_many(6, ("A", "purchase"), ("B", "purchase"), ("C", "purchase"))
    said += [("me", "A", "purchase"), ("me", "B", "dislike"), ("me", "C", "rating", 1)]
    assert listed(folded(log(said)), "me") == ["A"]
    only = [*by_many(6, ("A", "like")), ("me", "A", "dislike")]
    assert listed(folded(log(only)), "me") == ["A"], "a list is never empty"


def test_what_was_only_shown_is_in_no_list() -> None:
    """Nobody has taken to it: its factors are noise."""
    said = by_many(30, *[(f"a{number}", "view") for number in range(4)])
    said += [
        (f"x{number}", f"p{item}", kind) for number in range(9) for item in range(9) for kind in ("impression", "skip")
    ]
    state = folded(log([*said, ("me", "a1", "view")]))

    assert set(listed(state, "me", 30)) == {"a0", "a2", "a3"}


def test_reloads_of_other_days_teach_no_more() -> None:
    """Every second one dated days back: the others are repeats all the same."""
    said = by_many(40, ("R1", "view"), ("R2", "view"))
    records = log([*said, ("bot", "R1", "view")], step_ms=1_000)
    for number in range(300):
        at_ms = NOW_MS + HOUR_MS + number - (number % 2) * 2 * DAY_MS
        records += log([("bot", "JUNK", "view")], at_ms, first=len(records))
    neighbours = dict(view_of(folded(records)).similar("R1", 5))

    assert neighbours["R2"] > 5 * neighbours["JUNK"]


def test_repeats_are_offered_where_settings_say_so() -> None:
    """Milk comes back and a film does not; what was returned or disliked stays away."""
    settings = rules_with(EventType("buy", 1.0, 1, allow_repeats=True), EventType("refund", 0.0, 0, effect=WITHDRAW))
    said: list[Said] = [("me", "milk", "buy"), ("me", "film", "view"), ("me", "tv", "buy"), ("me", "tv", "refund")]
    said += [("me", "milk", "buy"), ("me", "bread", "buy"), ("me", "fish", "buy"), ("me", "fish", "dislike")]
    said += [("me", "sofa", "view")] * 9 + [("me", "sofa", "buy")]
    said += by_many(4, ("other", "view"))
    state, view = folded(log(said), settings), view_of(folded(log(said), settings))
    user = state.users.get("me")
    assert user is not None
    lists = ListSettings(returning=(settings.rules.types["buy"],))
    filler = filler_of(view, state.clock.now_ms, 50)
    items = Recommender(lists).recommend(view, 0, user, 10, filler)

    assert {"milk", "bread", "other"} <= {item.item_id for item in items}
    assert not {"film", "tv", "fish"} & {item.item_id for item in items}
    assert not {"milk", "bread"} & set(listed(state, "me")), "nobody said so there"
    often = Recommender(ListSettings(weights={"again_often": 1.0}, returning=lists.returning))
    assert [item.item_id for item in often.recommend(view, 0, user, 3, filler)] == ["milk", "bread", "sofa"]
    last = Recommender(ListSettings(weights={"again_last": 1.0}, returning=lists.returning))
    assert [item.item_id for item in last.recommend(view, 0, user, 3, filler)] == ["sofa", "bread", "milk"]


def test_a_purchase_returns_after_some_days() -> None:
    """From then on it is as new to its user, and not before."""
    filters = EventType("purchase", 1.0, 1, returns_after_days=30)
    settings = rules_with(filters)
    said = [
        *by_many(5, ("jug", "view"), ("filter", "purchase"), ("other", "view")),
        ("me", "filter", "purchase"),
        ("me", "jug", "view"),
    ]
    for days, is_offered in ((29, False), (31, True)):
        later = log([("me", "cup", "view")], NOW_MS + days * DAY_MS, first=len(said))
        state = folded([*log(said), *later], settings)
        view, user = view_of(state), state.users.reader("me")
        assert user is not None
        lists = Recommender(ListSettings(returning=(filters,)))
        items = lists.recommend(view, 0, user, 10, filler_of(view, state.clock.now_ms, 50))
        found = [item.item_id for item in items]
        assert ("filter" in found) == is_offered


def test_ratings_keep_their_own_scale() -> None:
    """Of 1 to 10 errors are on that scale; what lies outside is refused, and the setting named."""
    settings = rules_with(rating_scale=(1.0, 10.0), positive_rating=7.75, negative_rating=3.25)
    said: list[Said] = [(f"x{number % 40}", f"i{number % 23}", "rating", 6 + 4 * (number % 2)) for number in range(400)]
    state = folded(log(said), settings)
    assert state.evaluator.ratings.n == 400
    assert state.evaluator.ratings.absolute / 400 > 1.0

    state = PartitionState(0, 1, FoldSettings())
    refused = state.fold(*log([("me", "a", "rating", 10)])[0])
    assert isinstance(refused, InvalidEvent) and refused.reason == "out_of_range"
    assert "FRESHET_RATING_SCALE='[1, 10]'" in str(refused)
    (half,) = log([("me", "a", "rating", 0.5)], first=1)
    assert isinstance(state.fold(*half), str), "half stars are usual"
