"""Cost of one event: `models.events.decode` beside plain `orjson.loads`, in turns, in one run.

Run as ``python -m benchmarks.decode [--events 20000] [--rounds 15]``. Prints one JSON object; every time is the
median over the rounds, in nanoseconds for one event, and the ratio is the median of the rounds' ratios.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import orjson

from models.events import EventRules, decode
from models.partitioner import partition_of

RECORD_MS = 1_700_000_000_000

Record = tuple[bytes, bytes]


def make_records(n_events: int, *, full: bool) -> list[Record]:
    """Keys and values of valid events: the four required fields (95 bytes), or all seven."""
    records = []
    for n in range(n_events):
        user_id = f"user_{n % 900_000 + 100_000}"
        fields: dict[str, object] = {
            "user_id": user_id,
            "item_id": f"item_{n * 7919 % 900_000 + 100_000}",
            "event_type": ("view", "like", "skip")[n % 3],
            "timestamp": RECORD_MS + n,
        }
        if full:
            fields |= {
                "event_type": "rating",
                "event_id": f"{n:016x}",
                "value": n % 9 / 2 + 0.5,
                "context": {"device": "phone", "surface": "home", "position": n % 20},
            }
        records.append((user_id.encode(), orjson.dumps(fields)))
    return records


def run_decode(records: list[Record]) -> None:
    """Decode every record with the default rules."""
    rules = EventRules()
    for key, value in records:
        decode(key, value, RECORD_MS, rules)


def run_orjson(records: list[Record]) -> None:
    """Parse every record's value, the least that any reader has to do."""
    loads = orjson.loads
    for _, value in records:
        loads(value)


def run_partition_of(records: list[Record]) -> None:
    """Work out every key's partition."""
    for key, _ in records:
        partition_of(key, 8)


def ns_per_event(run: Callable[[list[Record]], None], records: list[Record]) -> float:
    """Time of one pass over the records, for each of them."""
    start = time.perf_counter_ns()
    run(records)
    return (time.perf_counter_ns() - start) / len(records)


def compare(n_events: int, n_rounds: int, *, full: bool) -> dict[str, float]:
    """Run the passes in turns, so that a busy moment of the machine hits all of them."""
    records = make_records(n_events, full=full)
    rounds = [
        (ns_per_event(run_decode, records), ns_per_event(run_orjson, records), ns_per_event(run_partition_of, records))
        for _ in range(n_rounds)
    ]
    return {
        "bytes_per_event": round(statistics.mean(len(value) for _, value in records), 1),
        "decode_ns": round(statistics.median(decoded for decoded, _, _ in rounds)),
        "orjson_loads_ns": round(statistics.median(parsed for _, parsed, _ in rounds)),
        "ratio": round(statistics.median(decoded / parsed for decoded, parsed, _ in rounds), 2),
        "partition_of_ns": round(statistics.median(placed for _, _, placed in rounds)),
    }


def main() -> None:
    """Print the comparison for short and for full events."""
    parser = argparse.ArgumentParser(description="Cost of decoding one event, beside plain orjson.loads.")
    parser.add_argument("--events", type=int, default=20_000, help="events in a pass (default 20000)")
    parser.add_argument("--rounds", type=int, default=15, help="passes of each kind (default 15)")
    options = parser.parse_args()
    result = {
        "events": options.events,
        "rounds": options.rounds,
        "required_fields": compare(options.events, options.rounds, full=False),
        "all_fields": compare(options.events, options.rounds, full=True),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
