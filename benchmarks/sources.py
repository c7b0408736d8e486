"""Cost of one record: a source of each kind beside `models.events.decode` of the plain form, in turns, in one run.

Run as ``python -m benchmarks.sources [--records 5000] [--rounds 9]``. Prints one JSON object; every time is CPU time in
microseconds for one record, the median over the rounds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import orjson

from app.sources import SourceRecord, SourceSettings, make_source
from models.events import EventRules, decode

MS = 1_700_000_000_000
PLAIN = {"user_id": "user_123456", "item_id": "item_654321", "event_type": "view", "timestamp": MS}
TRACK = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u",
    "messageId": "m",
    "timestamp": "2023-11-14T22:13:20Z",
}
CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "freshet": ({}, PLAIN),
    "mapping": (
        {
            "user_id": "u.id",
            "item_id": "p.sku",
            "event_type": "k",
            "timestamp": "at",
            "time": "iso",
            "types": {"x": "view"},
        },
        {"u": {"id": 1}, "p": {"sku": 2}, "k": "x", "at": "2023-11-14T22:13:20Z"},
    ),
    "ga4": (
        {"format": "ga4"},
        {
            "event_name": "view_item",
            "user_pseudo_id": "1",
            "event_timestamp": str(MS * 1000),
            "items": [{"item_id": "b"}],
        },
    ),
    "segment, three products": (
        {"format": "segment"},
        {**TRACK, "properties": {"products": [{"product_id": n} for n in range(3)]}},
    ),
}


def us_per_record(read: Callable[[], object], n_records: int) -> float:
    """CPU time of one call."""
    start = time.process_time_ns()
    for _ in range(n_records):
        read()
    return (time.process_time_ns() - start) / n_records / 1000


def readers() -> dict[str, Callable[[], object]]:
    """What is measured, by name."""
    rules, key, value = EventRules(), PLAIN["user_id"].encode(), orjson.dumps(PLAIN)  # type: ignore[attr-defined]
    found: dict[str, Callable[[], object]] = {"decode": lambda: decode(key, value, MS, rules)}
    for name, (words, row) in CASES.items():
        source = make_source(SourceSettings.model_validate(words), rules)
        record = SourceRecord("clicks", None, orjson.dumps(row), (), MS)
        found[name] = lambda source=source, record=record: source.read(record)  # type: ignore[misc]
    return found


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    found = readers()
    rounds = [
        {name: us_per_record(read, arguments.records) for name, read in found.items()} for _ in range(arguments.rounds)
    ]
    print(json.dumps({name: round(statistics.median(each[name] for each in rounds), 2) for name in found}, indent=2))


if __name__ == "__main__":
    main()
