"""The fold of a batch of events, compiled: what each event does to its user, its item and every model, in order.

An event is scored on the lists of before it, then counted, then learned. The result is the same however a log is cut
into batches, because each event sees exactly what those before it have left.
"""

from typing import Any, NamedTuple

import numpy as np

from models import factorization_kernels
from models.compiled import lean, njit
from models.cooccurrence import learn_pairs
from models.factorization import ITEMS, USERS
from models.fold_arrays import (
    EVALUATED,
    FIRST,
    FRESH,
    KIND_FROM,
    LATE,
    NEGATIVE,
    NOT_TESTED,
    POSITIVE,
    REPEATED,
    RETURNS,
    SEEN,
    TESTED,
    WITHDRAWN,
    ItemArrays,
    Results,
    UserArrays,
)
from models.fold_ranking import ListScratch, known_slot, rank_sources
from models.following import learn_following
from models.history import aged, put_in_order, take_out
from models.history_kernels import Draws, draw, history_key, learn, represent, room_for_draws
from models.kernels import remember
from models.lessons import Lessons, hand_over, room_for_lessons
from models.list_candidates import set_of
from models.list_kernel import ListNumbers
from models.people import change_people, renorm
from models.rows import FIRST as FIRST_CELLS
from models.rows import RowArrays, make_room
from models.trending import count, take_back
from models.window_kernels import count_event
from models.words import AGAINST, FOR, NEITHER, next_word, repeats_of, stance_of, time_of

Array = Any  # numpy arrays; numba's signatures say the dtypes

SPARE_CELLS = 4 * FIRST_CELLS
REPEATED_PART = 0.5  # of what the event before has taught


class FoldNumbers(NamedTuple):
    """Settings of the fold, as numbers.

    `n_lesson` is the length of the history in a lesson for the learner of the factors; 0: they are learned here.
    """

    max_recent: int
    max_seen: int
    n_keep: int
    known_exponent: float
    candidate_exponent: float
    history_seed: np.uint64
    n_negatives: int
    max_weight: float
    learning_rate: float
    round_to: float
    rating_seed: np.uint64
    start_scale: float
    lr_bias: float
    lr_factors: float
    max_gradient: float
    max_factor: float
    lowest: float
    highest: float
    trend_steps: Array
    trend_sizes: Array
    pair_cells: int
    follow_back: int
    follow_decay: float
    follow_keep: int
    follow_cells: int
    n_lesson: int


class FoldScratch(NamedTuple):
    """Arrays that the fold writes over."""

    others: Array  # int32 (max_recent,)
    weights: Array  # float64
    amounts: Array  # float64
    draws: Draws
    odds: Array  # float32
    gradient: Array  # float32 (n_factors,)
    changed: Array  # int32
    vector: Array  # float32 (n_factors,)
    shares: Array  # float32 (max_recent,)
    lessons: Lessons  # to be handed over, of the events folded since they were last taken


def scratch_of(numbers: FoldNumbers, n_factors: int, n_events: int) -> FoldScratch:
    """Arrays of the sizes that the settings ask for, for batches of so many events."""
    n_candidates = numbers.n_negatives + 1
    return FoldScratch(
        np.zeros(numbers.max_recent, np.int32),
        np.zeros(numbers.max_recent, np.float64),
        np.zeros(numbers.max_recent, np.float64),
        room_for_draws(numbers.n_negatives),
        np.zeros(n_candidates, np.float32),
        np.zeros(n_factors, np.float32),
        np.zeros(n_candidates + numbers.max_recent, np.int32),
        np.zeros(n_factors, np.float32),
        np.zeros(numbers.max_recent, np.float32),
        room_for_lessons(n_events if numbers.n_lesson else 0, numbers.n_lesson),
    )


@lean(cache=True, nogil=True)
def fits(rows: RowArrays, row: int) -> bool:
    """Whether a pool has cells left for a row to grow by a few pairs."""
    return bool(rows.used[0] + 2 * rows.length[row] + SPARE_CELLS <= rows.keys.shape[0])


@lean(cache=True, nogil=True)
def has_room(items: ItemArrays, users: UserArrays, user: int, slot: int, pair_cells: int, follow_cells: int) -> bool:
    """Whether every pool has the cells that one event may take."""
    return (
        items.pairs.used[0] + pair_cells <= items.pairs.keys.shape[0]
        and items.following.used[0] + follow_cells <= items.following.keys.shape[0]
        and fits(items.totals, slot)
        and fits(items.buckets, slot)
        and fits(users.totals, user)
        and fits(users.buckets, user)
        and fits(users.seen, user)
    )


@njit(cache=True, nogil=True)
def freeze(
    items: ItemArrays,
    users: UserArrays,
    user: int,
    row: int,
    time_ms: int,
    scratch: ListScratch,
    lists: ListNumbers,
    by_shares: bool,
) -> None:
    """Keep a user's lists as they stand, to be scored on by the events of this timestamp."""
    n, n_seen, start = users.n_recent[user], users.seen.length[user], users.seen.start[user]
    seen = set_of(users.seen.keys[start : start + n_seen])
    recent, weights = users.recent[user, :n], aged(users.recent_weights[user, :n], users.recent_ms[user, :n])
    rank_sources(items, recent, weights, seen, n_seen, scratch, lists, by_shares)
    users.waiting_ms[row] = time_ms
    for source in range(scratch.out.shape[0]):
        users.waiting_counts[row, source] = scratch.counts[source]
        for place in range(scratch.counts[source]):
            users.waiting_hashes[row, source, place] = items.hashes[scratch.out[source, place]]


@lean(cache=True, nogil=True)
def score_on(users: UserArrays, row: int, item_hash: np.uint64, ranks: Array) -> None:
    """The rank of an item in each list that waits in a row; 0 where it is not."""
    for source in range(ranks.shape[0]):
        ranks[source] = 0
        for place in range(users.waiting_counts[row, source]):
            if users.waiting_hashes[row, source, place] == item_hash:
                ranks[source] = place + 1
                break


@lean(cache=True, nogil=True)
def see(
    users: UserArrays, user: int, item_hash: np.uint64, max_seen: int, time_ms: int, kind: int, stance: int
) -> tuple[np.uint64, np.uint64]:
    """Remember an item as seen, most recently of all; the user's word on it before (0: it is new) and now."""
    n_seen = users.seen.length[user]
    if n_seen < max_seen:
        make_room(users.seen, user, 1)
    first, room = users.seen.start[user], users.seen.room[user]
    cells, words = users.seen.keys[first : first + room], users.seen.values[first : first + room]
    n_seen, before = remember(cells, words, n_seen, max_seen, item_hash)
    users.seen.length[user] = n_seen
    words[n_seen - 1] = now = next_word(before, time_ms, kind, stance)
    return before, now


@lean(cache=True, nogil=True)
def learn_interaction(
    items: ItemArrays,
    users: UserArrays,
    user: int,
    slot: int,
    weight: float,
    teaches: float,
    time_ms: int,
    enters: bool,
    offset: int,
    counter: int,
    scratch: FoldScratch,
    numbers: FoldNumbers,
    lists: ListNumbers,
) -> None:
    """Learn that a user took to an item: pairs with the history, and the history factors, or hand over their lesson.

    The item enters the history, or is a mere target, and nothing is learned of one that is older than a full history.
    `teaches` is what is learned of `weight`. What follows is learned from the history of before the event's time.
    """
    kept, n_prior = 0, 0
    for place in range(users.n_recent[user]):
        other = known_slot(items.cells, items.slots, items.live, users.recent[user, place])
        if other >= 0 and other != slot:
            scratch.others[kept], scratch.weights[kept] = other, users.recent_weights[user, place]
            kept += 1
            n_prior += users.recent_ms[user, place] <= time_ms
    if enters and not put_in_order(users, user, items.hashes[slot], weight, time_ms, numbers.max_recent):
        return
    taught = weight * teaches
    for place in range(kept):
        scratch.amounts[place] = taught * scratch.weights[place]
        items.dirty[scratch.others[place]] = items.touched[scratch.others[place]] = True
    items.weight[slot] += taught
    renorm(items, slot, numbers.known_exponent, numbers.candidate_exponent)
    if kept == 0:
        return
    others, amounts = scratch.others[:kept], scratch.amounts[:kept]
    learn_pairs(items.pairs, slot, others, amounts, numbers.n_keep)
    if n_prior == 0:
        return
    back, decay, keep = numbers.follow_back, numbers.follow_decay, numbers.follow_keep
    learn_following(items.following, slot, others[:n_prior], amounts[:n_prior], back, decay, keep)
    if numbers.n_lesson > 0:
        first = max(0, n_prior - numbers.n_lesson)
        history, amounts = scratch.others[first:n_prior], scratch.weights[first:n_prior]
        hand_over(scratch.lessons, offset, taught, slot, items.hashes, history, amounts)
        return
    first = max(0, n_prior - lists.n_history)
    history, amounts = scratch.others[first:n_prior], scratch.weights[first:n_prior]
    k, vector, shares = lists.n_factors, scratch.vector, scratch.shares
    if represent(items.rows, items.live, history, amounts, k, lists.history_decay, vector, shares) == 0:
        return
    key = history_key(numbers.history_seed, counter)
    start = users.seen.start[user]
    n_candidates = draw(
        key,
        numbers.n_negatives,
        items.n_range[0],
        items.live,
        items.hashes,
        users.seen.keys[start : start + users.seen.length[user]],
        slot,
        scratch.draws,
    )
    n_changed = learn(
        items.rows,
        k,
        history,
        shares,
        vector,
        scratch.draws.candidates,
        n_candidates,
        key,
        min(taught, numbers.max_weight),
        numbers.learning_rate,
        numbers.round_to,
        scratch.odds,
        scratch.gradient,
        scratch.changed,
    )
    for place in range(n_changed):
        changed = scratch.changed[place]
        items.stale[changed] = items.dirty[changed] = items.touched[changed] = True


@lean(cache=True, nogil=True)
def learn_rating(
    items: ItemArrays, users: UserArrays, user: int, slot: int, rating: float, numbers: FoldNumbers, errors: Array
) -> None:
    """Predict a rating, add up the error, learn it."""
    mean = items.rating_mean
    if not items.has_rating[slot]:
        predicted = mean[1] + (users.factors[user, 0] if users.has_factors[user] else 0.0)
    elif not users.has_factors[user]:
        predicted = mean[1] + items.rating_rows[slot, 0]
    else:
        predicted = factorization_kernels.predict(users.factors[user], items.rating_rows, slot, mean)
    error = min(max(predicted, numbers.lowest), numbers.highest) - rating
    errors[0] += 1.0
    errors[1] += abs(error)
    errors[2] += error * error
    seed, scale = numbers.rating_seed, numbers.start_scale
    if not users.has_factors[user]:
        factorization_kernels.start_row(seed, USERS, users.hashes[user], scale, users.factors[user])
        users.has_factors[user] = True
    if not items.has_rating[slot]:
        factorization_kernels.start_row(seed, ITEMS, items.hashes[slot], scale, items.rating_rows[slot])
        items.has_rating[slot] = True
    factorization_kernels.learn_one(
        users.factors[user],
        items.rating_rows,
        slot,
        rating,
        mean,
        numbers.lr_bias,
        numbers.lr_factors,
        numbers.max_gradient,
        numbers.max_factor,
        numbers.lowest,
        numbers.highest,
    )


@lean(cache=True, nogil=True)
def fold_events(
    events: Array,
    first: int,
    n: int,
    n_before: int,
    items: ItemArrays,
    users: UserArrays,
    ranking: ListScratch,
    scratch: FoldScratch,
    numbers: FoldNumbers,
    lists: ListNumbers,
    by_shares: bool,
    results: Results,
) -> int:
    """Fold `events[first:n]`; returns the first that was not: before it, some pool needs room.

    `n_before` is the number of events folded before `events[0]`: it keys what is drawn at random.
    """
    for number in range(first, n):
        event = events[number]
        user, slot, flags, time_ms = event["user"], event["item"], event["flags"], event["time_ms"]
        if not has_room(items, users, user, slot, numbers.pair_cells, numbers.follow_cells):
            return number
        weight, late, row = event["weight"], (flags & LATE) != 0, event["waiting"]
        evaluated = (flags & EVALUATED) != 0
        if evaluated and ((flags & FRESH) != 0 or users.waiting_ms[row] != time_ms):
            freeze(items, users, user, row, time_ms, ranking, lists, by_shares)
        if not items.live[slot]:
            items.live[slot] = True
            items.n_range[0] = max(items.n_range[0], slot + 1)
        users.n_events[user] += 1
        users.last_offset[user] = event["offset"]
        users.last_ms[user] = max(users.last_ms[user], time_ms)
        items.n_events[slot] += 1
        items.last_offset[slot] = event["offset"]
        items.last_ms[slot] = max(items.last_ms[slot], time_ms)
        items.dirty[slot] = items.touched[slot] = True
        count_event(users.totals, users.buckets, user, event["kind"], time_ms, event["as_of_ms"], late)
        count_event(items.totals, items.buckets, slot, event["kind"], time_ms, event["as_of_ms"], late)
        results.tested[number] = NOT_TESTED
        if (flags & SEEN) != 0:
            stance = FOR if (flags & POSITIVE) != 0 else AGAINST if (flags & NEGATIVE) != 0 else NEITHER
            item_hash, kind = items.hashes[slot], flags >> KIND_FROM
            before, word = see(users, user, item_hash, numbers.max_seen, time_ms, kind, stance)
            if evaluated and stance == FOR:
                if before == 0:
                    is_first = users.n_recent[user] == 0 or users.recent_ms[user, 0] == time_ms
                    results.tested[number] = FIRST if is_first else TESTED
                    score_on(users, row, item_hash, results.ranks[number])
                elif (flags & RETURNS) != 0:
                    results.tested[number] = REPEATED
            before_ms = time_of(before)
            if time_ms >= before_ms:  # the latest word
                trends = (
                    items.trend_values,
                    items.trend_buckets,
                    items.trend_decay,
                    numbers.trend_sizes,
                    numbers.trend_steps,
                )
                known_exponent, candidate_exponent = numbers.known_exponent, numbers.candidate_exponent
                change_people(items, slot, stance_of(before), stance, known_exponent, candidate_exponent)
                enters, counted_ms = (flags & (NEGATIVE | WITHDRAWN)) == 0, before_ms
                if before != 0 and (stance != stance_of(before) or not enters):  # what was said counts no more
                    counted_ms, taken = 0, take_out(users, user, item_hash)
                    take_back(*trends, slot, taken, before_ms)
                if weight > 0.0 and (flags & WITHDRAWN) == 0:
                    counter, teaches = n_before + number, REPEATED_PART ** np.float64(repeats_of(word))
                    learn_interaction(
                        items,
                        users,
                        user,
                        slot,
                        weight,
                        teaches,
                        time_ms,
                        enters,
                        event["offset"],
                        counter,
                        scratch,
                        numbers,
                        lists,
                    )
                if weight > 0.0 and enters and not late:
                    count(*trends, slot, weight, time_ms, counted_ms)
        if not np.isnan(event["rating"]):
            learn_rating(items, users, user, slot, event["rating"], numbers, results.rating_errors)
    return n
