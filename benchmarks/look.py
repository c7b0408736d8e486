"""What it costs in hit rate not to score every item, in a catalogue that is too large for that.

A log is made in which at least `--touched` items have an event: shoppers with three tastes of a few hundred, who look
at some items of one taste in a session, the better known ones more often. `freshet evaluate` scores it with
`FRESHET_LOOK` as given and with every item scored; tests are the same, so the differences are paired. Beside the hit
rates: the time of an evaluation, which is the fold with everybody's lists.

    python -m benchmarks.look --touched 50000 --look 100,500,2000
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from bisect import bisect
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

START_MS = 1_700_000_000_000
PER_TASTE = 100
N_TASTES = 3  # of a shopper
PER_SESSION = 6
EVENTS_PER_ITEM = 5
ALL = 1_000_000  # items to look at: more than there are


def write_log(path: Path, n_items: int, seed: int = 1) -> int:
    """JSON lines of a made log, the same for the same seed; returns how many items have an event."""
    rng = random.Random(seed)
    n_tastes, heights = n_items // PER_TASTE, list(accumulate((rank + 1) ** -0.7 for rank in range(PER_TASTE)))
    users = [[rng.randrange(n_tastes) for _ in range(N_TASTES)] for _ in range(n_items // 2)]
    touched: set[int] = set()
    with path.open("wb") as out:
        for number in range(n_items * EVENTS_PER_ITEM // PER_SESSION):
            user = rng.randrange(len(users))
            taste = rng.choice(users[user])
            for step in range(PER_SESSION):
                item = taste * PER_TASTE + bisect(heights, rng.random() * heights[-1])
                touched.add(item)
                at_ms = START_MS + 60_000 * number + 5_000 * step
                event = {"user_id": f"u{user}", "item_id": f"i{item}", "event_type": "view", "timestamp": at_ms}
                out.write(orjson.dumps(event) + b"\n")
    return len(touched)


def evaluated(log: Path, look: int, sample: float) -> dict[str, Any]:
    """Hit rates of the list and seconds of an evaluation with `FRESHET_LOOK=look`."""
    command = [sys.executable, "-m", "app", "evaluate", str(log), "--sample", str(sample), "--json"]
    began = time.perf_counter()
    done = subprocess.run(
        command, env={**os.environ, "FRESHET_LOOK": str(look)}, check=True, stdout=subprocess.PIPE, text=True
    )
    result = json.loads(done.stdout)
    rates = {name: result["lists"]["list"][name] for name in ("hr@10", "hr@20")}
    return {
        "look": "all" if look == ALL else look,
        "tests": result["tests"],
        **rates,
        "seconds": round(time.perf_counter() - began, 1),
    }


def main() -> None:
    """Make a log, evaluate it with each setting, and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--touched", type=int, default=50_000, help="items with an event, at least (default 50000)")
    parser.add_argument("--look", default="100,500,2000", help="settings to compare with all (default 100,500,2000)")
    parser.add_argument("--sample", type=float, default=0.1, help="share of the users whose lists are scored (.1)")
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="freshet-look-") as folder:
        log, n_items = Path(folder) / "log.jsonl", asked.touched + asked.touched // 5 // PER_TASTE * PER_TASTE
        n_touched = write_log(log, n_items)
        if n_touched < asked.touched:
            raise SystemExit(f"only {n_touched} of {n_items} items have an event: ask for another number.")
        print(json.dumps({"items": n_items, "touched": n_touched}), flush=True)
        for look in (ALL, *map(int, asked.look.split(","))):
            print(json.dumps(evaluated(log, look, asked.sample)), flush=True)


if __name__ == "__main__":
    main()
