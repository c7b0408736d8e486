"""At most so many items of one category: exact lists, and what the view knows of categories."""

import random
from collections import Counter

import numpy as np
import pytest

from models.blend import BLENDS
from models.errors import SettingsError
from models.proposals import Ranked
from models.source_names import CO_OCCURRENCE, POPULARITY, SOURCE_NAMES, TRENDING
from tables.categories import Categories
from tables.list_json import ListItem
from tables.list_settings import ListSettings
from tables.recommend import STAGES, Recommender
from tables.sources.source import asked
from tables.stages.per_category import PerCategory
from tables.stages.stage import MakeStage
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.lists import NOTHING, PAIRS, categorized, filler_of, partitions, users_of, view_of
from tests.logs import made_log, record
from tests.saved import folded

# items by their numbers       0    1    2    3    4     5     6    7
COLOURS: list[str | None] = ["r", "r", "r", "g", None, None, None, "g"]


def view_of_colours() -> ItemView:
    """Items i0 to i7, of the colours above."""
    view = view_of(folded([record(number, "u", f"i{number}") for number in range(8)]))
    for number, colour in enumerate(COLOURS):
        view.categorize(f"i{number}", colour)
    assert view.ids == [f"i{number}" for number in range(8)]
    return view


@pytest.mark.parametrize(
    ("most", "k", "expected"),
    [
        (1, 5, [0, 3, 4, 5, 6, 1, 2, 7]),  # one of each, then those without, then the rest as they were
        (1, 8, [0, 3, 4, 5, 6, 1, 2, 7]),  # the list is as long as it was: those held back come behind
        (1, 2, [0, 3, 1, 2, 4, 5, 6, 7]),  # it looks no further than it has to
        (2, 4, [0, 1, 3, 4, 2, 5, 6, 7]),
        (3, 8, [0, 1, 2, 3, 4, 5, 6, 7]),  # nothing is held back
        (1, 1, [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_which_items_are_held_back(most: int, k: int, expected: list[int]) -> None:
    """The rest of a category, in its order, behind all others; the items without a category never."""
    view = view_of_colours()
    n = len(COLOURS)
    scores, places = np.linspace(1.0, 0.3, n), np.arange(n, dtype=np.int32).reshape(n, 1)
    given = Ranked(n, np.arange(n, dtype=np.int32), scores, np.zeros(n, np.int32), places)
    made = PerCategory(most).rank(given, asked(view, 0, UserState(), NOTHING, 500), k)

    assert made.items.tolist() == expected
    assert made.scores.tolist() == scores.tolist()
    assert made.places[:, 0].tolist() == expected


@pytest.mark.parametrize("most", [1, 2, 5])
def test_lists_keep_to_the_most_while_others_are_left(most: int) -> None:
    """No list is shorter for it, and one with too many of a category has all the others that there are."""
    states = partitions(made_log(3, 1500, n_users=12, n_items=150), 2)
    view = categorized(view_of(*states), 6)
    filler = filler_of(view, states[0].clock.now_ms, 500)
    capped, plain = Recommender(ListSettings(max_per_category=most)), Recommender(ListSettings())
    n_over = 0
    for user in users_of(states):
        made = capped.recommend(view, 0, user, 30, filler)
        everything = {item.item_id for item in plain.recommend(view, 0, user, 10_000, filler)}
        assert len(made) == 30 == len({item.item_id for item in made})
        counts = Counter(view.categories.of(item.item_id) for item in made)
        over = {category for category, n in counts.items() if category >= 0 and n > most}
        left = everything - {item.item_id for item in made}
        n_over += bool(over)
        if over:
            assert not [each for each in left if counts[view.categories.of(each)] < most]
            assert -1 not in map(view.categories.of, left)
    assert n_over or most > 1


def test_the_filler_keeps_to_the_most_too() -> None:
    """A list of fillers alone has one of each category first; sources and scaled scores are the filler's."""
    view = view_of_colours()
    filler = Filler([(number, (8.0 - number) / 8.0, TRENDING if number < 3 else POPULARITY) for number in range(8)])
    made = Recommender(ListSettings(max_per_category=1)).recommend(view, 0, UserState(), 6, filler)

    assert [(item.item_id, item.source) for item in made] == [
        ("i0", TRENDING),
        ("i3", POPULARITY),
        ("i4", POPULARITY),
        ("i5", POPULARITY),
        ("i6", POPULARITY),
        ("i1", TRENDING),
    ]
    assert [item.score for item in made] == pytest.approx([1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8])


def test_without_the_setting_lists_are_as_they_were() -> None:
    """Also in a view that knows categories; and with a setting that no list reaches, they are the same items."""
    states = partitions(made_log(5, 900, n_users=15, n_items=120), 2)
    known, unknown = categorized(view_of(*states), 3), view_of(*states)
    filler, off = filler_of(unknown, states[0].clock.now_ms, 500), Recommender(ListSettings())
    never = Recommender(ListSettings(max_per_category=500))
    nothing = Recommender(ListSettings(), stages={})
    for user in users_of(states):
        expected = nothing.recommend(unknown, 0, user, 30, filler)
        assert off.recommend(known, 0, user, 30, filler) == expected
        at_most = never.recommend(known, 0, user, 30, filler)
        assert [(item.item_id, item.because) for item in at_most] == [(item.item_id, item.because) for item in expected]


def test_the_view_follows_items_and_categories() -> None:
    """By item number, whatever comes first: entry or item; through growth, changes, and items numbered anew."""
    states = partitions(made_log(7, 3000, n_users=40, n_items=400), 3)
    view, said, rng = ItemView(PAIRS), dict[str, str](), random.Random(3)
    for step in range(120):
        number = step % 3
        view.set_share(number, None if rng.random() < 0.3 else states[number].items)
        for _ in range(20):
            item_id, category = f"i{rng.randrange(420)}", rng.choice((None, "red", "green", f"of {step}"))
            view.categorize(item_id, category)
            said.pop(item_id, None)
            if category is not None:
                said[item_id] = category
        names: dict[int, str] = {}
        for item, item_id in enumerate(view.ids):
            of = int(view.category[item])
            assert of == view.categories.of(item_id)
            assert (of >= 0) == (item_id in said)
            if of >= 0:
                assert names.setdefault(of, said[item_id]) == said[item_id], "one number, one category"
        assert len(names) == len(set(names.values()))
    assert len(view.ids) > 64 and view.numbering > 10 and len(view.categories) == len(said)
    assert view.category.dtype == np.int32


def test_numbers_of_categories_are_used_again() -> None:
    """Numbers stay below the most categories at once, however many there have been."""
    categories = Categories()
    for number in range(1000):
        assert categories.put("a", f"c{number}") in (0, 1)
        assert categories.put("b", "always") == 1
    assert (categories.put("a", None), categories.of("a"), len(categories)) == (-1, -1, 1)


class Backwards:
    """The worst first."""

    name = "backwards"

    def rank(self, ranked: Ranked, asked: object, k: int) -> Ranked:
        """All of it, the other way round."""
        return ranked.reordered(np.arange(ranked.n)[::-1])


class NoneOf:
    """Leaves out what is proposed by popularity, or trends."""

    name = "none_of"

    def rank(self, ranked: Ranked, asked: object, k: int) -> Ranked:
        """What was proposed by another source."""
        return ranked.reordered(np.flatnonzero(ranked.places[:, 0] >= 0))


def test_stages_run_in_their_order_over_candidates_and_filler() -> None:
    """What one leaves out does not come back, nor as filler; reasons and sources follow the items."""
    states = partitions(made_log(5, 900, n_users=15, n_items=120), 1)
    view, weights = view_of(*states), {CO_OCCURRENCE: 1.0}
    filler = filler_of(view, states[0].clock.now_ms, 500)
    made_by: dict[str, MakeStage] = {"none_of": lambda _: NoneOf(), "backwards": lambda _: Backwards()}
    chosen = Recommender(ListSettings("ranks", weights), stages=made_by)
    plain = Recommender(ListSettings("ranks", weights, depth=50))
    n_listed = 0
    for user in users_of(states):
        own = [item for item in plain.recommend(view, 0, user, 50, NOTHING) if item.source == CO_OCCURRENCE]
        made = chosen.recommend(view, 0, user, 10, filler)
        expected = [
            ListItem(item.item_id, score, item.source, item.because)
            for item, score in zip(own[::-1], [item.score for item in own], strict=True)
        ]
        assert made == expected[:10]
        n_listed += len(made)
    assert n_listed > 50


@pytest.mark.parametrize("value", [-1, 501])
def test_settings_out_of_range(value: int) -> None:
    """Refused, with what is allowed."""
    with pytest.raises(SettingsError, match=rf"max_per_category has value {value}\. Use 0 \(off\) to 500, e\.g\. 3\."):
        ListSettings(max_per_category=value)


def test_every_blend_asks_for_all_registered_stages() -> None:
    """A recommender of shipped settings runs none; with the setting it runs the stage, whatever weighs the sources."""
    assert [*STAGES] == ["per_category"]
    view = view_of_colours()
    filler = Filler([(number, 8.0 - number, TRENDING) for number in range(8)])
    for blend in BLENDS:
        for most, expected in ((0, ["i0", "i1", "i2"]), (1, ["i0", "i3", "i4"])):
            lists = Recommender(ListSettings(blend, dict.fromkeys(SOURCE_NAMES, 0.5), max_per_category=most))
            assert [item.item_id for item in lists.recommend(view, 0, UserState(), 3, filler)] == expected
