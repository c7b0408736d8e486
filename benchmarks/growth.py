"""What the size of the catalogue costs: a list, and the fold of an event with and without evaluation.

Every item of the catalogue is touched at least once, in random order; then events follow a Zipf law. With `--beside`
another checkout of Freshet is measured in turn with this one, and ratios are printed: what a busy machine does to one
it does to the other.

    python -m benchmarks.growth --items 2000,20000,200000 --beside ../freshet-before
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from bisect import bisect
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tables.view import ItemView

HERE = Path(__file__).parents[1]
START_MS = 1_700_000_000_000
N_USERS = 3_000
N_READERS = 300
LIST_SIZE = 30
SETTINGS = FoldSettings(evaluate_fraction=0.0, max_items=400_000)


class Record(NamedTuple):
    """One record of the log."""

    offset: int
    timestamp: int
    key: bytes
    value: bytes


class Log:
    """Events of a made log, in order; the same for the same seed."""

    def __init__(self, n_items: int) -> None:
        self._rng = random.Random(n_items)
        self._heights = list(accumulate((rank + 1) ** -0.8 for rank in range(n_items)))
        self._offset = 0

    def touch_all(self) -> list[Record]:
        """An event of each item, in random order."""
        items = list(range(len(self._heights)))
        self._rng.shuffle(items)
        return [self._event(item) for item in items]

    def more(self, n: int) -> list[Record]:
        """The next `n` events."""
        return [self._event(bisect(self._heights, self._rng.random() * self._heights[-1])) for _ in range(n)]

    def _event(self, item: int) -> Record:
        user_id, time_ms = f"u{self._rng.randrange(N_USERS)}", START_MS + 100 * self._offset
        event = {"user_id": user_id, "item_id": f"i{item}", "event_type": "view", "timestamp": time_ms}
        self._offset += 1
        return Record(self._offset - 1, time_ms, user_id.encode(), orjson.dumps(event))


def measured(n_items: int, n_events: int) -> dict[str, float]:
    """Microseconds of CPU: an event without and with evaluation of everybody, and a list; medians of rounds."""
    log, state = Log(n_items), PartitionState(0, 1, SETTINGS)
    state.fold_many([*log.touch_all(), *log.more(20_000)])
    evaluating = PartitionState(0, 1, replace(SETTINGS, evaluate_fraction=1.0))
    cut = state.cut(-1)
    for key, value in cut.users:
        evaluating.apply_user(key, value)
    for key, value in cut.items:
        evaluating.items.apply(key.decode(), value)
    evaluating.finish_load()
    view = ItemView(SETTINGS.cooccurrence)
    view.set_share(0, state.items)
    make = list_maker(view, filler_of(view, state.clock.now_ms))
    readers = [user for user in (state.users.get(f"u{number}") for number in range(N_READERS)) if user]
    rounds = [log.more(1_000) for _ in range(1 + n_events // 1_000)]
    return {
        "touched": len(state.items),
        "fold": per_event(state, rounds),
        "evaluated": per_event(evaluating, rounds),
        "list": median_us(lambda: [make(user) for user in readers], 6, len(readers)),
    }


def per_event(state: PartitionState, rounds: list[list[Record]]) -> float:
    """Microseconds of CPU an event; the first round is left out."""
    state.fold_many(rounds[0])
    left = iter(rounds[1:])
    return median_us(lambda: state.fold_many(next(left)), len(rounds) - 1, len(rounds[0]))


def median_us(run: Callable[[], Any], n_rounds: int, n: int) -> float:
    """The median of rounds that do something `n` times, microseconds each."""
    spent = []
    for _ in range(n_rounds):
        start = time.process_time()
        run()
        spent.append(1e6 * (time.process_time() - start) / n)
    return statistics.median(spent)


def filler_of(view: ItemView, as_of_ms: int) -> Any:
    """What stands behind lists, as the tree that runs makes it."""
    try:
        from tables.newcomers import Newcomers
    except ImportError:
        return view.filler(as_of_ms, 500)  # type: ignore[attr-defined]  # of an older tree
    return Newcomers().filler(view, as_of_ms, 500)


def list_maker(view: ItemView, filler: Any) -> Callable[[Any], Any]:
    """How this checkout makes a list of default settings; older ones had one function for it."""
    try:
        from tables.adaptive import AdaptiveRecommender
        from tables.list_settings import ListSettings
    except ImportError:
        from tables import recommend

        older: Any = recommend
        fusion: Any = vars(type(SETTINGS))["fusion"].__get__(SETTINGS)
        return lambda user: older.recommend(view, 0, fusion, user, LIST_SIZE, filler)
    recommender = AdaptiveRecommender(ListSettings())
    return lambda user: recommender.recommend(view, 0, user, LIST_SIZE, filler)


def in_checkout(folder: Path, n_items: int, n_events: int) -> dict[str, float]:
    """`measured` by the code of a checkout, in a process of its own."""
    command = [sys.executable, str(Path(__file__).resolve()), "--child", str(n_items), "--events", str(n_events)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare(folders: list[Path], n_items: int, n_events: int, n_rounds: int) -> dict[str, Any]:
    """Medians of every checkout, measured in turn, and this one's ratio to the other."""
    rounds = [[in_checkout(folder, n_items, n_events) for folder in folders] for _ in range(n_rounds)]
    medians = [
        {name: statistics.median(each[place][name] for each in rounds) for name in rounds[0][0]}
        for place in range(len(folders))
    ]
    result: dict[str, Any] = {"items": n_items, "us": {name: round(value, 1) for name, value in medians[0].items()}}
    if len(folders) > 1:
        result["beside_us"] = {name: round(value, 1) for name, value in medians[1].items()}
        result["ratio"] = {
            name: round(statistics.median(each[0][name] / each[1][name] for each in rounds), 3)
            for name in ("list", "evaluated", "fold")
        }
    return result


def main() -> None:
    """Measure, and print a line of JSON per size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", default="2000,20000,200000", help="sizes of the catalogue")
    parser.add_argument("--events", type=int, default=8_000, help="events measured per round (default 8000)")
    parser.add_argument("--rounds", type=int, default=5, help="processes per checkout (default 5)")
    parser.add_argument("--beside", type=Path, help="another checkout, its kernels compiled")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(measured(asked.child, asked.events)))
        return
    folders = [HERE, *([asked.beside.resolve()] if asked.beside else [])]
    for n_items in map(int, asked.items.split(",")):
        print(json.dumps(compare(folders, n_items, asked.events, asked.rounds)), flush=True)


if __name__ == "__main__":
    main()
