"""Cost of one published list: `tables.recommend` beside the same made step by step in Python, in turns, in one run.

Run as ``python -m benchmarks.lists [--users 200] [--rounds 7]``. Prints one JSON object: every time is the median over
the rounds, in microseconds for one list, and the ratio is the median of the rounds' ratios.
"""

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Sequence

import orjson

from models.partitioner import partition_of
from tables.fold_settings import FoldSettings
from tables.learner import LearnerState
from tables.linked_factors import LinkedFactors
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tables.partition import PartitionState
from tables.user_state import UserState
from tables.view import Filler, ItemView
from tests.lists import recommend
from tests.rank_fusion import RankFusion
from tests.slow_lists import SlowLists

START_MS = 1_700_000_000_000
N_PARTITIONS = 4
N_USERS, N_ITEMS = 2000, 2000
K = 30

Reader = tuple[int, UserState]
Make = Callable[[int, UserState], list[ListItem]]


def fold(n_events: int) -> tuple[ItemView, list[PartitionState]]:
    """Partitions with some events folded, popular items far more often, and a view of all of them."""
    settings, rng = FoldSettings(), random.Random(1)
    states = [PartitionState(number, N_PARTITIONS, settings) for number in range(N_PARTITIONS)]
    items = rng.choices(range(N_ITEMS), [(number + 1) ** -0.8 for number in range(N_ITEMS)], k=n_events)
    for number, item in enumerate(items):
        user_id = f"u{rng.randrange(N_USERS)}"
        event = {"user_id": user_id, "item_id": f"i{item}", "event_type": "click", "timestamp": START_MS + 100 * number}
        state = states[partition_of(user_id.encode(), N_PARTITIONS)]
        state.fold(state.next_offset, START_MS + 100 * number, user_id.encode(), orjson.dumps(event))
    view, learner = ItemView(settings.cooccurrence), LearnerState(settings)
    for state in states:
        view.set_share(state.number, state.items)
        for lessons in state.take_lessons():
            learner.take(lessons)
    view.learned = LinkedFactors(learner.rows)
    return view, states


def us_per_list(make: Make, readers: Sequence[Reader]) -> float:
    """Time of one list for every reader, for each of them."""
    start = time.perf_counter()
    for number, user in readers:
        make(number, user)
    return 1e6 * (time.perf_counter() - start) / len(readers)


def encode_all(lists: Sequence[list[ListItem]]) -> float:
    """Time of encoding, for each list."""
    start = time.perf_counter()
    for items in lists:
        encode_list(
            epoch=1,
            offset=12_345,
            user_id="u1",
            namespace="",
            generated_at_ms=START_MS,
            source=("user_events", 0, 12_345),
            model="blend-00000000",
            variant="default",
            items=items,
        )
    return 1e6 * (time.perf_counter() - start) / len(lists)


def compare(n_events: int, n_users: int, n_rounds: int) -> dict[str, float]:
    """Make the lists of some users both ways, round by round.

    Raises
    ------
    SystemExit
        If any two lists differ.
    """
    view, states = fold(n_events)
    fusion, filler = RankFusion(), Filler(())
    readers = [(state.number, user) for state in states for user in map(state.users.get, state.users) if user]
    readers = readers[:: max(1, len(readers) // n_users)]
    slow = {number: SlowLists(view, view.shares[number], fusion) for number in view.shares}

    def fast_way(number: int, user: UserState) -> list[ListItem]:
        return recommend(view, number, fusion, user, K, filler)

    def slow_way(number: int, user: UserState) -> list[ListItem]:
        return slow[number].recommend(user, K, filler)

    lists = [fast_way(*reader) for reader in readers]
    if lists != [slow_way(*reader) for reader in readers]:
        raise SystemExit("The two ways gave different lists.")
    rounds = [
        (us_per_list(fast_way, readers), us_per_list(slow_way, readers), encode_all(lists)) for _ in range(n_rounds)
    ]
    return {
        "recommend_us": round(statistics.median(fast for fast, _, _ in rounds), 1),
        "step_by_step_us": round(statistics.median(slowly for _, slowly, _ in rounds), 1),
        "ratio": round(statistics.median(slowly / fast for fast, slowly, _ in rounds), 2),
        "encode_us": round(statistics.median(encoding for _, _, encoding in rounds), 1),
    }


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="Cost of one published list, beside making it step by step.")
    parser.add_argument("--events", type=int, default=20_000, help="events folded before (default 20000)")
    parser.add_argument("--users", type=int, default=200, help="lists in a round (default 200)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds (default 7)")
    options = parser.parse_args()
    sizes = {"items": N_ITEMS, "partitions": N_PARTITIONS, "list_size": K}
    print(json.dumps({**sizes, **compare(options.events, options.users, options.rounds)}, indent=2))


if __name__ == "__main__":
    main()
