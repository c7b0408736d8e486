"""Lessons: what partitions hand to the one learner of the history factors, and how it learns them; compiled.

A lesson is one interaction with all that the factor model needs of its user: the item taken to, the items of the
history as it was then, and what each counts. So the learner knows no user: what a negative word, a word taken back or a
late event means is settled by the fold that hands the lesson over.
"""

from typing import Any, NamedTuple

import numpy as np

from models.compiled import lean
from models.hash_index import find
from models.history_kernels import Draws, draw, history_key, learn, represent, room_for_draws

Array = Any  # numpy arrays


class Lessons(NamedTuple):
    """The lessons of a batch of events, one behind the other: of each, its target and then its history in `items`."""

    offsets: Array  # int64 (n,): of the event, in its partition's log
    weights: Array  # float32 (n,): what is taught
    lengths: Array  # int32 (n,): items of a lesson, the target included
    items: Array  # uint64 (n * (1 + n_history),): hashes, a history's from the oldest on
    amounts: Array  # float32, beside `items`: what each counts in the history; 0 for the target
    n: Array  # int64 (2,): lessons, and items of all of them


def room_for_lessons(n_lessons: int, n_history: int) -> Lessons:
    """Arrays of these sizes."""
    n_items = n_lessons * (1 + n_history)
    return Lessons(
        np.zeros(n_lessons, np.int64),
        np.zeros(n_lessons, np.float32),
        np.zeros(n_lessons, np.int32),
        np.zeros(n_items, np.uint64),
        np.zeros(n_items, np.float32),
        np.zeros(2, np.int64),
    )


@lean(cache=True, nogil=True)
def hand_over(
    lessons: Lessons, offset: int, weight: float, target: int, hashes: Array, history: Array, amounts: Array
) -> None:
    """Add a lesson, of slots whose hashes are `hashes[slot]`."""
    number, at = lessons.n[0], lessons.n[1]
    lessons.offsets[number], lessons.weights[number] = offset, weight
    lessons.lengths[number] = 1 + history.shape[0]
    lessons.items[at], lessons.amounts[at] = hashes[target], 0.0
    for place in range(history.shape[0]):
        lessons.items[at + 1 + place] = hashes[history[place]]
        lessons.amounts[at + 1 + place] = amounts[place]
    lessons.n[0], lessons.n[1] = number + 1, at + 1 + history.shape[0]


class LearnerScratch(NamedTuple):
    """Arrays that learning writes over."""

    draws: Draws
    odds: Array  # float32 (n_negatives + 1,)
    gradient: Array  # float32 (n_factors,)
    changed: Array  # int32 (n_negatives + 1 + n_history,)
    vector: Array  # float32 (n_factors,)
    shares: Array  # float32 (n_history,)


def scratch_for_lessons(n_factors: int, n_negatives: int, n_history: int) -> LearnerScratch:
    """Arrays of these sizes."""
    return LearnerScratch(
        room_for_draws(n_negatives),
        np.zeros(n_negatives + 1, np.float32),
        np.zeros(n_factors, np.float32),
        np.zeros(n_negatives + 1 + n_history, np.int32),
        np.zeros(n_factors, np.float32),
        np.zeros(n_history, np.float32),
    )


class LearnerNumbers(NamedTuple):
    """Settings of the factor model, as numbers (`models.history_factors.HistoryFactorsSettings`)."""

    seed: np.uint64
    n_factors: int
    n_negatives: int
    decay: float
    max_weight: float
    learning_rate: float
    round_to: float


class LearnerArrays(NamedTuple):
    """The learner's rows, by slot."""

    rows: Array  # float32 (n, n_factors + 4)
    live: Array  # bool
    hashes: Array  # uint64
    n_range: Array  # int64 (1,): the highest slot with an item + 1
    dirty: Array  # bool: to be saved
    last: Array  # int64: the number of the last lesson that had the item as its target


@lean(cache=True, nogil=True)
def find_all(cells: Array, slots: Array, items: Array, found: Array) -> int:
    """The slot of each hash into `found`, -1 for one without; returns how many have none."""
    n = 0
    for place in range(items.shape[0]):
        found[place] = find(cells, slots, items[place])
        n += found[place] < 0
    return n


@lean(cache=True, nogil=True)
def learn_lessons(
    lengths: Array,
    weights: Array,
    items: Array,
    amounts: Array,
    slots: Array,
    n_before: int,
    learner: LearnerArrays,
    numbers: LearnerNumbers,
    scratch: LearnerScratch,
) -> None:
    """Learn lessons one by one: each is a step of sampled softmax as the fold of a single partition takes it.

    The negatives are drawn from all of the learner's items but those of the lesson; the fold leaves out all that its
    user has seen, which no lesson tells.

    Parameters
    ----------
    lengths, weights
        Of each lesson, int32 and float32.
    items, amounts, slots
        Of all lessons one behind the other: hashes, what each counts (float64), the learner's slots (-1: none).
    n_before
        Lessons learned before: it keys what is drawn.
    """
    at, k = 0, numbers.n_factors
    for number in range(lengths.shape[0]):
        end, target = at + lengths[number], slots[at]
        history, counter = slots[at + 1 : end], n_before + number
        learner.last[target] = counter
        if represent(
            learner.rows, learner.live, history, amounts[at + 1 : end], k, numbers.decay, scratch.vector, scratch.shares
        ):
            key = history_key(numbers.seed, counter)
            n_candidates = draw(
                key,
                numbers.n_negatives,
                learner.n_range[0],
                learner.live,
                learner.hashes,
                items[at + 1 : end],
                target,
                scratch.draws,
            )
            n_changed = learn(
                learner.rows,
                k,
                history,
                scratch.shares,
                scratch.vector,
                scratch.draws.candidates,
                n_candidates,
                key,
                min(np.float64(weights[number]), numbers.max_weight),
                numbers.learning_rate,
                numbers.round_to,
                scratch.odds,
                scratch.gradient,
                scratch.changed,
            )
            for place in range(n_changed):
                learner.dirty[scratch.changed[place]] = True
        learner.dirty[target] = True
        at = end
