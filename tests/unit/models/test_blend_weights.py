"""Weights of a blend learned from what users took: the step, what it leads to, what it stays within."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.blend import MISSING
from models.blend_weights import BOUNDS, MAX_LEARNED, START_SQUARES, BlendWeights, Served
from models.proposals import space_for
from tests.plain import plain_kernels

SEEDS = st.integers(0, 2**32 - 1)
DEPTH, N_ITEMS = 6, 30


def served(rng: np.random.Generator, n_sources: int = 3) -> Served:
    """Rows of any length."""
    rows = np.array([rng.permutation(N_ITEMS)[:DEPTH] + 1 for _ in range(n_sources)], np.uint64)
    amounts = np.sort(rng.uniform(0.1, 8.0, (n_sources, DEPTH)))[:, ::-1].copy()
    return Served(rows, amounts, rng.integers(0, DEPTH + 1, n_sources), 1)


@given(seed=SEEDS, taken=st.integers(1, N_ITEMS))
def test_a_step_is_the_gradient_of_the_log_likelihood(seed: int, taken: int) -> None:
    """By the formula, and only if somebody proposed what was taken; all users' weights take a second one."""
    rng = np.random.default_rng(seed)
    given_, weights = served(rng), BlendWeights("abc", (0.8, 0.5, 0.1), (0.2, 0.3))
    rows = [
        dict(zip(hashes[:n].tolist(), amounts[:n].tolist(), strict=True))
        for hashes, amounts, n in zip(given_.hashes, given_.amounts, given_.counts.tolist(), strict=True)
    ]

    def log_share(row: dict[int, float], item: int) -> float:
        return math.log(row.get(item, MISSING * min(row.values())) / sum(row.values())) if row else 0.0

    candidates = sorted({item for row in rows for item in row})
    scores = [sum(w * log_share(row, i) for w, row in zip((0.8, 0.5, 0.1), rows, strict=True)) for i in candidates]
    total = sum(math.exp(score) for score in scores)
    gradients = [
        log_share(row, taken)
        - sum(math.exp(s) / total * log_share(row, i) for s, i in zip(scores, candidates, strict=True))
        for row in rows
    ]
    own, others = (
        [
            min(max(weight + rate * gradient / math.sqrt(START_SQUARES + gradient * gradient), 0.0), MAX_LEARNED)
            for weight, gradient in zip((0.8, 0.5, 0.1), gradients, strict=True)
        ]
        for rate in (0.2 + 0.3, 0.3)
    )
    learned = weights.learn(given_, taken)
    assert learned == (taken in candidates) == bool(weights.n_learned)
    if not learned:
        own = others = [0.8, 0.5, 0.1]
    assert weights.values[1].tolist() == pytest.approx(own)
    assert weights.values[0].tolist() == weights.values[2].tolist() == weights.values[3].tolist()
    assert weights.values[0].tolist() == pytest.approx(others)
    plain = BlendWeights("abc", (0.8, 0.5, 0.1), (0.2, 0.3))
    with plain_kernels():
        plain.learn(given_, taken)
    assert plain.values == pytest.approx(weights.values, rel=1e-12)


def test_a_source_of_chance_comes_to_count_little() -> None:
    """Beside one that knows, whoever was given more at the start; and no weight leaves its bounds."""
    rng = np.random.default_rng(3)
    weights = BlendWeights(("knows", "chance"), (0.2, 0.8))
    for _ in range(2000):
        rows = np.array([rng.permutation(N_ITEMS)[:DEPTH] + 1 for _ in range(2)], np.uint64)
        amounts = np.array([[6.0, 5.0, 4.0, 3.0, 2.0, 1.0]] * 2)
        taken = rows[0, rng.choice(DEPTH, p=amounts[0] / amounts[0].sum())]
        weights.learn(Served(rows, amounts, np.array([DEPTH, DEPTH]), 0), int(taken))
    knows, chance = weights.values[0]
    assert knows > 0.5 and chance < 0.2 * knows
    assert (weights.values >= 0.0).all() and (weights.values <= MAX_LEARNED).all()


def test_users_of_few_events_have_weights_of_their_own() -> None:
    """The bounds are the first numbers of events of the next weights."""
    assert [BlendWeights.bucket(n) for n in (0, BOUNDS[0] - 1, BOUNDS[0], BOUNDS[2] - 1, BOUNDS[2], 10**6)] == [
        0,
        0,
        1,
        2,
        3,
        3,
    ]


def test_stored_weights_come_back() -> None:
    """Bit for bit; a source that is new, or begins with another weight now, keeps its start; one gone is left out."""
    rng = np.random.default_rng(1)
    weights = BlendWeights("abc", (0.8, 0.5, 0.1))
    for _ in range(50):
        weights.learn(served(rng), int(rng.integers(1, N_ITEMS)))
    other = BlendWeights("cdba", (0.1, 0.3, 0.5, 9.0))
    other.restore(weights.as_json())
    assert other.values[:, [0, 2]].tolist() == weights.values[:, [2, 1]].tolist()
    assert other.values[:, [1, 3]].tolist() == [[0.3, 9.0]] * 4
    assert other.squares[:, [0, 2]].tolist() == weights.squares[:, [2, 1]].tolist()
    assert other.n_learned == weights.n_learned > 0


def learned(n: int, start: tuple[float, ...] = (0.8, 0.5)) -> BlendWeights:
    """Weights of `a`, `b` after so many outcomes, all of users of few events who took what `a` proposed first."""
    weights = BlendWeights("ab", start)
    taken = Served(np.array([[1, 2], [3, 4]], np.uint64), np.array([[2.0, 1.0]] * 2), np.array([2, 2]), 0)
    for _ in range(n):
        assert weights.learn(taken, 1)
    return weights


def test_weights_that_were_stored_before_all_took_a_step_come_back() -> None:
    """Without the sum of squares of that step, which begins anew."""
    weights = learned(20)
    before = weights.as_json()
    for squares in before["squares"].values():
        del squares["all"]
    other = BlendWeights("ab", (0.8, 0.5))
    other.restore(before)
    assert other.values.tolist() == weights.values.tolist()
    assert other.squares[:-1].tolist() == weights.squares[:-1].tolist()
    assert other.squares[-1].tolist() == [START_SQUARES] * 2


def test_history_begins_with_the_start_and_has_a_point_at_every_outcome_at_first() -> None:
    """What nobody proposed is no outcome; other users' weights take the smaller step."""
    weights, seen, others = learned(0), [0.8], [0.5]
    for _ in range(3):
        weights.learn(Served(np.array([[1, 2], [3, 4]], np.uint64), np.ones((2, 2)), np.array([2, 2]), 0), 1)
        assert not weights.learn(Served(np.array([[1], [3]], np.uint64), np.ones((2, 1)), np.array([1, 1]), 0), 9)
        seen.append(round(float(weights.values[0, 0]), 4))
        others.append(round(float(weights.values[3, 1]), 4))

    history = weights.as_json()["history"]

    assert (history["every"], history["n"]) == (1, [0, 1, 2, 3])
    assert history["weights"]["a"]["0"] == seen != [0.8] * 4
    assert history["weights"]["b"]["60"] == others
    assert [*history["weights"]["a"]] == [*weights.as_json()["weights"]["a"]] == ["0", "5", "20", "60"]


def test_history_is_stored_and_goes_on() -> None:
    """Through JSON, as if nothing had been: the same points with and without a stop in between."""
    straight, stopped = learned(150), BlendWeights("ab", (0.8, 0.5))
    stopped.restore(json.loads(json.dumps(learned(99).as_json())))
    taken = Served(np.array([[1, 2], [3, 4]], np.uint64), np.array([[2.0, 1.0]] * 2), np.array([2, 2]), 0)
    for _ in range(51):
        stopped.learn(taken, 1)

    assert stopped.as_json() == straight.as_json()
    assert straight.as_json()["history"]["n"] == [*range(0, 149, 4)]


def test_sources_that_begin_anew_have_no_past() -> None:
    """One that is new, or begins with another weight now; one that is gone is left out, one that is off stays so."""
    weights = BlendWeights("cbd", (0.3, 0.5, 0.0))
    weights.restore({**learned(2, (0.8, 0.5)).as_json(), "start": {"b": 0.5, "c": 9.0, "d": 0.7}})

    history = weights.as_json()["history"]

    assert history["n"] == [0, 1, 2]
    assert history["weights"]["c"]["0"] == history["weights"]["d"]["0"] == [None] * 3
    assert history["weights"]["b"]["0"] == learned(2).as_json()["history"]["weights"]["b"]["0"]
    again = BlendWeights("cbd", (0.3, 0.5, 0.0))
    again.restore(json.loads(json.dumps(weights.as_json())))
    assert again.as_json() == weights.as_json()


def test_weights_stored_without_a_history_come_back() -> None:
    """What is learned from then on is put down, what was before is not known."""
    stored = learned(5).as_json()
    del stored["history"]
    weights = BlendWeights("ab", (0.8, 0.5))
    weights.restore(stored)
    assert weights.values.tolist() == learned(5).values.tolist()
    assert weights.as_json()["history"] == {
        "every": 1,
        "n": [],
        "weights": {name: {row: [] for row in ("0", "5", "20", "60")} for name in "ab"},
    }

    weights.learn(Served(np.array([[1], [3]], np.uint64), np.ones((2, 1)), np.array([1, 1]), 0), 1)

    assert weights.as_json()["history"]["n"] == [6]


def test_a_damaged_history_changes_nothing() -> None:
    """Weights are not taken over without what belongs to them."""
    weights, stored = BlendWeights("ab", (0.8, 0.5)), learned(5).as_json()
    with pytest.raises(ValueError, match="a history of weights every 1 outcomes"):
        weights.restore({**stored, "history": {**stored["history"], "n": [0, 2, 1, 3, 4, 5]}})
    assert weights.values.tolist() == [[0.8, 0.5]] * 4
    assert (weights.n_learned, weights.as_json()["history"]["n"]) == (0, [0])


def test_what_cannot_be_taken_over_changes_nothing() -> None:
    """Also if only the last of it has another shape."""
    weights = BlendWeights("ab", (0.8, 0.5))
    stored = {**weights.as_json(), "n": 7}
    stored["weights"]["a"]["0"] = 3.0
    del stored["squares"]["b"]["60"]
    with pytest.raises(KeyError):
        weights.restore(stored)
    assert weights.values.tolist() == [[0.8, 0.5]] * 4
    assert weights.n_learned == 0


def test_a_source_that_counts_nothing_is_not_there() -> None:
    """What it proposes is neither an outcome nor among what others are compared with; it stays off when stored."""
    table, hashes = space_for(2, 2), np.arange(9, dtype=np.uint64)
    table.items[:], table.scores[:], table.counts[:] = [[1, 2], [3, 4]], [[2.0, 1.0], [9.0, 1.0]], 2
    asked, off, alone = (
        BlendWeights(names, start) for names, start in (("ab", (0.5, 0.5)), ("ab", (0.5, 0.0)), ("a", (0.5,)))
    )
    assert not off.learn(off.served(table, hashes, 0), 3)
    for _ in range(20):
        assert asked.learn(asked.served(table, hashes, 0), 3)
        assert off.learn(off.served(table, hashes, 0), 1)
        assert alone.learn(alone.served(table.rows(0, 1), hashes, 0), 1)
    assert asked.values[0, 1] > 0.5
    assert off.values[:, 0].tolist() == alone.values[:, 0].tolist() != [0.5] * 4

    off.restore(asked.as_json())

    assert off.values[:, 1].tolist() == [0.0] * 4
    assert off.values[0, 0] == asked.values[0, 0]
    asked.restore({**off.as_json(), "n": 99})
    assert asked.values[0, 1] > 0.5, "a source that was off begins with its own weight again"


def test_what_an_older_list_has_left_behind_a_row_does_no_harm() -> None:
    """Numbers of items that this view does not have."""
    proposals = space_for(1, 3)
    proposals.items[0], proposals.scores[0], proposals.counts[0] = (1, 70, 900), (2.0, 1.0, 0.5), 1

    found = BlendWeights("a", (1.0,)).served(proposals, np.arange(64, dtype=np.uint64), 2)

    assert (found.hashes[0, 0], found.counts.tolist(), found.bucket) == (1, [1], 2)
