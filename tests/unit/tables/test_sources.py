"""Every source as it is shipped: what it may propose, and that it says the same again."""

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.blend import BLENDS
from models.ids import hash64
from models.proposals import Proposals, space_for
from models.source_names import DIRECTED, LAST_ITEM, POPULARITY, SOURCE_NAMES
from tables.list_settings import ListSettings
from tables.recommend import SOURCES, Recommender
from tables.sources.following import Follows
from tables.sources.source import Source, asked
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.lists import filler_of, partitions, users_of, view_of
from tests.logs import log_of, made_log
from tests.strategies import numbers
from tests.users import counted

NUMBERS = numbers(60, 60)
DEPTH = 30


def proposed(
    source: Source, view: ItemView, user: UserState, filler: Filler, depth: int, look: int = 2000
) -> Proposals:
    """What a source proposes; its rows begin full of what is no item."""
    table = space_for(len(source.names), depth)
    table.items[:], table.scores[:] = -7, np.nan
    source.propose(asked(view, 0, user, filler, look), table)
    return table


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: "+".join(source.names))
@settings(max_examples=30)
@given(
    numbers=NUMBERS,
    n=st.sampled_from((1, 2)),
    depth=st.sampled_from((1, 5, 200)),
    n_forbidden=st.sampled_from((0, 9)),
    look=st.sampled_from((1, 6, 2000)),
)
def test_a_source(source: Source, numbers: list[int], n: int, depth: int, n_forbidden: int, look: int) -> None:
    """Allowed items alone, unseen, once; positive finite scores that fall; the same for the same question."""
    states = partitions(log_of(numbers, n_users=6, n_items=30), n)
    view = view_of(*states)
    view.forbid(view.ids[:n_forbidden])
    filler = view.popularity(40)
    for user in [*users_of(states), UserState()]:
        table = proposed(source, view, user, filler, depth, look)
        seen = set(user.seen[: user.n_seen].tolist())
        for items, scores, count in zip(*table, strict=True):
            found, values = items[:count].tolist(), scores[:count]
            assert len(set(found)) == count <= depth
            assert all(view.allowed[item] and hash64(view.ids[item]) not in seen for item in found)
            assert np.isfinite(values).all() and (values > 0.0).all() and (np.diff(values) <= 0.0).all()
        again = proposed(source, view, user, filler, depth, look)
        for one, other, count in zip(table.items, again.items, table.counts, strict=True):
            assert one[:count].tolist() == other[:count].tolist()


def test_every_source_has_its_own_names() -> None:
    """Those that settings may weigh, no two alike."""
    assert sorted(name for source in SOURCES for name in source.names) == sorted(SOURCE_NAMES)


@pytest.mark.parametrize("blend", BLENDS)
def test_scores_fall_from_first_to_last(blend: str) -> None:
    """Also where the filler begins, whose own numbers are far greater."""
    states = partitions(made_log(3, 400, n_users=10, n_items=300), 1)
    view = view_of(*states)
    filler = filler_of(view, states[0].clock.now_ms, 400)
    assert [score for _, score, _ in filler.items] == sorted((score for _, score, _ in filler.items), reverse=True)
    recommender, n_filled = Recommender(ListSettings(blend, depth=DEPTH)), 0
    for user in users_of(states):
        made = recommender.recommend(view, 0, user, 150, filler)
        scores = [item.score for item in made]
        assert scores == sorted(scores, reverse=True) and scores[-1] > 0.0
        n_filled += made[-1].source in ("trending", POPULARITY)
    assert n_filled


def test_popularity_weighs_as_a_source() -> None:
    """Alone it gives the most popular unseen items; without a weight it gives none."""
    states = partitions(made_log(5, 300, n_users=8, n_items=60), 1)
    view, (user, *_) = view_of(*states), users_of(states)
    popular, nothing = view.popularity(60), Filler([])
    only = Filler(nothing.items, popular.popular)
    made = Recommender(ListSettings(weights={POPULARITY: 1.0})).recommend(view, 0, user, 10, only)
    seen = set(user.seen[: user.n_seen].tolist())
    expected = [view.ids[item] for item, _, _ in popular.items if hash64(view.ids[item]) not in seen][:10]
    assert [item.item_id for item in made] == expected
    assert {(item.source, item.because) for item in made} == {(POPULARITY, ())}
    assert POPULARITY not in {item.source for item in Recommender(ListSettings()).recommend(view, 0, user, 10, only)}


def test_factors_are_scored_for_whom_pairs_name_and_for_the_popular() -> None:
    """In a catalogue beyond `look`: of those, the same in the same order as if all were scored; scratch left empty."""
    states = partitions(made_log(6, 2000, n_users=200, n_items=1500), 1)
    view, n_compared = view_of(*states), 0
    assert len(view.ids) > 4 * 150
    filler = Filler((), view.popularity(8).popular)
    learned, popular = SOURCES[0], set(filler.popular.items.tolist())
    for user in users_of(states):
        whole, part = (proposed(learned, view, user, filler, len(view.ids), look) for look in (2000, 150))
        assert part.items[0, : part.counts[0]].tolist() == whole.items[0, : whole.counts[0]].tolist()
        pairs = set(whole.items[0, : whole.counts[0]].tolist())
        expected = [item for item in whole.items[1, : whole.counts[1]].tolist() if item in pairs | popular]
        if len(pairs) <= 150:
            n_compared += len(expected) > 0
            assert part.items[1, : part.counts[1]].tolist() == expected
        assert not view.sums().any()
        few = proposed(learned, view, user, Filler(()), 200, 3)
        assert few.counts[1] <= 3
        assert set(few.items[1, : few.counts[1]].tolist()) <= pairs
    assert n_compared > 50


@pytest.mark.parametrize("n", [1, 3])
def test_what_follows_is_summed_over_all_shares(n: int) -> None:
    """From the last item as it is, from the last ten by the formula; reasons are items that it followed."""
    states = partitions(made_log(8, 900, n_users=15, n_items=60), n)
    view, pairs = view_of(*states), states[0].settings.cooccurrence
    settings, n_explained = states[0].settings.following, 0

    def row(item: int) -> dict[int, float]:
        found: dict[int, float] = defaultdict(float)
        for state in states:
            slot = state.items.slots.get(view.ids[item])
            keys, values = state.items.following.rows.row(slot) if slot is not None else ((), ())
            for other, amount in zip(keys, values, strict=True):
                found[view.index[state.items.ids[other] or ""]] += float(amount)
        return found

    for user in users_of(states):
        known = [(view.index[item_id], weight) for item_id, weight in counted(user) if item_id in view.index]
        last, directed = row(known[-1][0]) if known else {}, defaultdict[int, float](float)
        for step, (item, weight) in enumerate([*reversed(counted(user))]):
            if item in view.index and step < settings.n_back:
                number = view.index[item]
                factor = weight * settings.decay**step * float(view.weight[number]) ** -pairs.known_exponent
                for other, amount in row(number).items():
                    directed[other] += factor * amount * float(view.weight[other]) ** -pairs.candidate_exponent
        table = proposed(Follows(), view, user, Filler(()), 60)
        for place, expected in enumerate((last, directed)):
            free = {
                item: amount
                for item, amount in expected.items()
                if view.allowed[item] and hash64(view.ids[item]) not in user.seen
            }
            found = table.items[place, : table.counts[place]].tolist()
            assert dict(zip(found, table.scores[place].tolist(), strict=False)) == pytest.approx(free)
        only = ListSettings(weights={DIRECTED: 1.0, LAST_ITEM: 1.0})
        for made in Recommender(only).recommend(view, 0, user, 10, Filler(())):
            n_explained += len(made.because)
            assert made.because and set(made.because) <= {item_id for item_id, _ in user.recent}
    assert n_explained > 50
