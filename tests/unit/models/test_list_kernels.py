"""The kernels of published lists: bit for bit their plain twins, and each keeps its own promise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba.typed import List

from models.ids import hash64, order_key
from models.list_candidates import (
    NEARLY,
    add_rows,
    best_near,
    best_pairs,
    first_share,
    holds,
    most_of,
    offered,
    remember_all,
    show_share,
    sum_rows,
    two_greatest,
    unseen,
)
from models.list_kernel import all_amounts, amounts_of
from models.list_reasons import speak_for
from tests.plain import plain_kernels

SEEDS = st.integers(0, 2**32 - 1)


def both(kernel: Any, *arguments: Any) -> tuple[Any, list[Any]]:
    """What a kernel returns and its arguments afterwards; the plain twin must give the same bits."""

    def outcome(run: Callable[..., Any]) -> tuple[Any, list[Any]]:
        copies = [each.copy() if isinstance(each, np.ndarray) else each for each in arguments]
        return run(*copies), copies

    returned, after = outcome(kernel)
    with plain_kernels():
        plain_returned, plain_after = outcome(kernel.py_func)
    assert returned == plain_returned
    for each, plain in zip(after, plain_after, strict=True):
        assert isinstance(each, List) or np.asarray(each).tobytes() == np.asarray(plain).tobytes()
    return returned, after


def identities(ids: list[str]) -> tuple[Any, Any]:
    """Hashes and keys of some ids."""
    return np.array([hash64(each) for each in ids], np.uint64), np.array([order_key(each) for each in ids], np.uint64)


def seen_set(hashes: Any) -> Any:
    """A set of hashes as the kernels read it."""
    table = np.zeros(128, np.uint64)
    remember_all(hashes, len(hashes), table)
    return table


@given(values=st.lists(st.integers(1, 2**64 - 1), max_size=40), other=st.integers(1, 2**64 - 1))
def test_a_set_holds_what_was_put_in(values: list[int], other: int) -> None:
    """And nothing else, however the hashes collide."""
    _, (_, _, table) = both(remember_all, np.array(values, np.uint64), len(values), np.ones(128, np.uint64))
    for value in [*values, other, 128 + other if other < 2**63 else other]:
        assert both(holds, table, np.uint64(value))[0] == (value in values)


@given(seed=SEEDS, n_shares=st.integers(1, 2))
def test_rows_are_added_and_their_two_greatest_gains_named(seed: int, n_shares: int) -> None:
    """What belongs to no item goes to nobody; reasons are of the items asked for, in one share the two greatest."""
    rng, n = np.random.default_rng(seed), 12
    asked, known, factors = rng.permutation(n)[:7].astype(np.int32), np.array([3, 0, 5, 1], np.int32), np.ones(4)
    factors[:] = rng.choice([0.5, 1.0], 4)
    gave: list[dict[int, float]] = [{} for _ in range(n)]
    shares = []
    for _ in range(n_shares):
        weights, to_item = rng.choice([0.0, 1.0, 2.0, 4.0], 40), rng.permutation(n).astype(np.int32)
        neighbours = np.concatenate([rng.permutation(n + 2)[:10] for _ in range(4)]).astype(np.int32)
        to_item[rng.integers(0, n)] = -1
        slot_in = np.array([to_item.tolist().index(item) if item in to_item else -1 for item in range(n)], np.int32)
        start, length = np.zeros(n, np.int64), np.zeros(n, np.int32)
        start[:4], length[:4] = np.arange(0, 40, 10), 8
        shares.append((neighbours, weights, start, length, slot_in, to_item))
        for source, item in enumerate(known.tolist()):
            row = slot_in[item]
            for at in range(start[row], start[row] + length[row]) if row >= 0 else ():
                other, amount = to_item[neighbours[at]] if neighbours[at] < n else -1, factors[source] * weights[at]
                if other >= 0 and amount > 0:
                    gave[other][source] = gave[other].get(source, 0.0) + amount
    listed = first_share(*shares[0])
    for place, share in enumerate(shares):
        show_share(listed, place, *share)
    n_touched, after = both(sum_rows, listed, known, factors, np.zeros(n + 1), np.zeros(n + 1, np.int32))
    scores = after[-2]
    assert scores[:n].tolist() == [sum(each.values()) for each in gave]
    assert sorted(after[-1][:n_touched].tolist()) == np.flatnonzero(scores[:n]).tolist()
    place_of, gains, sources = np.full(n, -1, np.int32), np.zeros((7, 2)), np.full((7, 2), -1, np.int32)
    _, after = both(two_greatest, listed, known, factors, asked, place_of, gains, sources)
    place_of, gains, sources = after[-3:]
    assert (place_of == -1).all()
    for item, two_gains, two_sources in zip(asked.tolist(), gains.tolist(), sources.tolist(), strict=True):
        assert [source >= 0 for source in two_sources] == [len(gave[item]) > 0, len(gave[item]) > 1]
        assert {source for source in two_sources if source >= 0} <= gave[item].keys()
        if n_shares == 1:
            assert two_gains == [*sorted(gave[item].values(), reverse=True), 0.0, 0.0][:2]


def test_a_sum_that_is_no_number_is_touched() -> None:
    """Whoever clears the scores of what was touched leaves none behind."""
    share = np.array([1, 2]), np.array([0.0, 1.0]), np.zeros(3, np.int64), np.array([2, 0, 0], np.int32)
    numbers = np.arange(3, dtype=np.int32)
    listed = first_share(share[0].astype(np.int32), *share[1:], numbers, numbers)
    n, after = both(sum_rows, listed, numbers[:1], np.array([np.inf]), np.zeros(4), np.zeros(4, np.int32))
    assert after[-1][:n].tolist() == [1, 2]
    assert np.isnan(after[-2][1]) and after[-2][[0, 3]].tolist() == [0.0, 0.0]


@given(seed=SEEDS, k=st.integers(1, 40))
def test_best_pairs_against_sorting(seed: int, k: int) -> None:
    """By value and id, unseen, allowed, finite."""
    rng, ids = np.random.default_rng(seed), [f"i{number}" for number in range(50)]
    hashes, keys = identities(ids)
    scores, norms = rng.integers(0, 4, 50) * 1.0, rng.choice([0.0, 1.0, 2.0, np.inf], 50, p=[0.1, 0.4, 0.4, 0.1])
    allowed, seen = rng.random(50) < 0.8, hashes[:10]
    out, values = np.zeros(k, np.int32), np.zeros(k, np.float64)
    among, n_left_out = np.arange(50, dtype=np.int32), 10 + int((~allowed).sum())
    amounts = amounts_of(scores, among, norms)
    asked = allowed, hashes, keys, seen_set(seen), n_left_out, k, out, values
    n, after = both(best_pairs, amounts, among, *asked)
    with np.errstate(invalid="ignore"):
        normed = scores * norms
    good = [item for item in range(10, 50) if allowed[item] and 0 < normed[item] < np.inf]
    expected = sorted(good, key=lambda item: (-normed[item], ids[item]))[:k]
    assert after[-2][:n].tolist() == expected
    assert after[-1][:n].tolist() == [normed[item] for item in expected]


@given(seed=SEEDS, k=st.integers(1, 30), n=st.sampled_from((40, 1_500)), is_coarse=st.booleans())
def test_best_near_against_sorting(seed: int, k: int, n: int, is_coarse: bool) -> None:
    """By score, key and slot, free and seen slots left out; among few slots and among many, with ties and without."""
    rng, ids = np.random.default_rng(seed), [f"0123456789abcdef{number}" for number in range(n)]
    hashes, keys = identities(ids)
    keys[::3, 1] += np.uint64(1)
    hashes[rng.integers(0, n, 5)] = 0
    scores = (rng.integers(-3, 3, n) if is_coarse else rng.normal(size=n)).astype(np.float32)
    scores[hashes == 0] = -np.inf
    seen = hashes[n - 10 :][hashes[n - 10 :] > 0]
    places, out, values = np.arange(n, dtype=np.int32), np.zeros(k, np.int32), np.zeros(k, np.float32)
    n_found, after = both(best_near, scores, places, hashes, keys, seen_set(seen), len(seen), k, out, values)
    live = [slot for slot in range(n - 10) if hashes[slot]]
    expected = sorted(live, key=lambda slot: (-scores[slot], *keys[slot].tolist(), slot))[:k]
    assert after[-2][:n_found].tolist() == expected
    assert after[-1][:n_found].tolist() == scores[expected].tolist()


@given(seed=SEEDS, k=st.integers(1, 60), n=st.integers(0, 300), kind=st.sampled_from(("even", "long tail", "ties")))
def test_most_of_takes_the_greatest(seed: int, k: int, n: int, kind: str) -> None:
    """However they are spread and wherever they stand, as many as are asked for or nearly; of equal ones the first."""
    rng = np.random.default_rng(seed)
    values = {"even": rng.random(n), "long tail": rng.pareto(0.5, n), "ties": rng.integers(0, 3, n) * 1.0}[kind]
    n_chosen, after = both(most_of, values, k, np.zeros(k + 1, np.int32))
    chosen = after[-1][:n_chosen]
    assert min(k - k // NEARLY, n) <= n_chosen == len(set(chosen.tolist())) <= min(k, n)
    assert chosen.tolist() == sorted(chosen.tolist()) or kind == "ties"
    expected = np.sort(values)[::-1][:n_chosen]
    spread = expected.max(initial=0.0) * 2.0**-39  # what halving cannot tell apart
    assert np.abs(np.sort(values[chosen])[::-1] - expected).max(initial=0.0) <= spread


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("slot", [0, 9])
def test_a_model_that_has_diverged_has_no_list(bad: float, slot: int) -> None:
    """One score that is no number or infinite is enough, unless its slot is seen; -inf is a slot without an item."""
    hashes, keys = identities([f"i{number}" for number in range(10)])
    scores = np.ones(10, np.float32)
    scores[slot] = bad
    arguments = scores, np.arange(10, dtype=np.int32), hashes, keys
    out, values = np.zeros(10, np.int32), np.zeros(10, np.float32)
    assert both(best_near, *arguments, seen_set(hashes[:0]), 0, 4, out, values)[0] == 0
    assert both(best_near, *arguments, seen_set(hashes[slot : slot + 1]), 1, 4, out, values)[0] == 4
    scores[slot] = -np.inf
    n, after = both(best_near, *arguments, seen_set(hashes[:0]), 0, 10, out, values)
    assert sorted(after[-2][:n].tolist()) == [other for other in range(10) if other != slot]


def test_offered_leaves_out_what_the_view_does_not_know() -> None:
    """Beyond the mapping, without a number, forbidden, or another item by now; the rest in order."""
    hashes, _ = identities(["a", "b", "c", "d", "e", "f"])
    to_item, allowed = np.array([1, -1, 3, 0, 2], np.int32), np.array([True, True, True, False])
    item_hashes = hashes[[3, 0, 0, 2]]  # slot 4 was "a" when its number was given, slot 2 is forbidden
    slots, out = np.array([5, 4, 3, 2, 1, 0], np.int32), np.zeros(6, np.int32)
    values = np.arange(6, dtype=np.float32)
    n, after = both(offered, slots, 6, hashes, to_item, item_hashes, allowed, 6, out, values)
    assert n == 2 and after[-2][:2].tolist() == [0, 1] and after[-1][:2].tolist() == [2.0, 5.0]
    assert both(offered, slots, 6, hashes, to_item, item_hashes, allowed, 1, out, values)[0] == 1


@given(seed=SEEDS, n_history=st.integers(0, 6))
def test_reasons_are_the_greatest_positive_gains(seed: int, n_history: int) -> None:
    """The product that ranks times weight and age; none that speak against an item."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(-3, 4, (12, 10)).astype(np.float32)  # whole numbers: products without rounding
    history, weights = rng.permutation(12)[:n_history].astype(np.int32), rng.choice([0.5, 1.0, 2.0], n_history)
    slots, reasons = rng.permutation(12)[:5].astype(np.int32), np.zeros((5, 2), np.int32)
    _, after = both(speak_for, rows, 8, history, weights, 0.5, slots, 5, reasons)
    steps = 0.5 ** np.arange(n_history - 1, -1, -1)
    for slot, found in zip(slots.tolist(), after[-1].tolist(), strict=True):
        gains = (rows[history, :8] @ rows[slot, :8]) * weights * steps
        best = [place for place in np.argsort(-gains, kind="stable").tolist() if gains[place] > 0][:2]
        assert found == [*best, -1, -1][:2]


def test_unseen_takes_the_first_that_may_be_offered() -> None:
    """In their order, with their amounts, as many as there is room for."""
    hashes, _ = identities(["a", "b", "c", "d"])
    ranked, amounts = np.array([3, 2, 1, 0], np.int32), np.array([4.0, 3.0, 2.0, 1.0])
    allowed = np.array([True, True, False, True])
    for size, expected in ((4, [3, 0]), (1, [3])):
        out = np.zeros(size, np.int32), np.zeros(size)
        n, after = both(unseen, ranked, amounts, hashes, allowed, seen_set(hashes[1:2]), *out)
        assert after[-2][:n].tolist() == expected
        assert after[-1][:n].tolist() == [amounts[3 - item] for item in expected]


@given(seed=SEEDS)
def test_few_items_are_summed_as_many_are(seed: int) -> None:
    """To the bit: the sums of `sum_rows`, and the amounts of `amounts_of`, 0 for those that nothing touched."""
    rng, n = np.random.default_rng(seed), 15
    numbers, length = np.arange(n, dtype=np.int32), rng.integers(0, 9, n).astype(np.int32)
    neighbours = np.concatenate([rng.permutation(n)[:8] for _ in range(n)]).astype(np.int32)
    weights = rng.random(len(neighbours)) * rng.choice([0.0, 1.0, 1e300], len(neighbours))
    listed = first_share(neighbours, weights, np.arange(n) * 8, length, numbers, numbers)
    known, factors, norms = rng.permutation(n)[:6].astype(np.int32), rng.random(6) * 1e5, rng.random(n) * 1e4
    with np.errstate(over="ignore", invalid="ignore"):
        n_touched, after = both(sum_rows, listed, known, factors, np.zeros(n + 1), np.zeros(n + 1, np.int32))
        _, dense = both(add_rows, listed, known, factors, np.zeros(n + 1))
        touched, expected = after[-1][:n_touched], np.zeros(n)
        expected[touched] = amounts_of(after[-2], touched, norms)
        assert dense[-1].tobytes() == after[-2].tobytes()
        assert all_amounts(dense[-1], norms).tolist() == all_amounts.py_func(dense[-1], norms).tolist()
        assert all_amounts(dense[-1], norms).tolist() == expected.tolist()
