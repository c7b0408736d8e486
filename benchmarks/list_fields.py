"""What fields of the catalogue cost in lists: bytes and encoding, with and without titles, in turns, in one run.

Run as ``python -m benchmarks.list_fields LOG``, LOG being a MovieLens set (folder or zip). Lists have 30 items drawn as
often as people rated them, 27 of them the user's own with two reasons. Prints one JSON object: bytes are the mean over
the lists, times the median over the rounds, in microseconds for one list.
"""

import argparse
import gzip
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from app.replay.movielens import MovieLensLog
from tables.catalogue import parse_entry
from tables.list_encoding import encode_list
from tables.list_fields import listed
from tables.list_json import ListItem

N_ITEMS, N_OWN = 30, 27


def drawn(log: MovieLensLog, n_lists: int) -> list[list[ListItem]]:
    """Lists of different items, the same for the same log."""
    rng = random.Random(1)
    counts = Counter(str(orjson.loads(record.value)["item_id"]) for record in log)
    ids, weights = list(counts), list(counts.values())
    lists = []
    for _ in range(n_lists):
        some = list(dict.fromkeys(rng.choices(ids, weights, k=4 * N_ITEMS)))
        some = (some + rng.sample(ids, N_ITEMS))[:N_ITEMS]
        lists.append(
            [
                ListItem(item_id, 0.4 / (61 + place), "co_occurrence", tuple(rng.choices(ids, weights, k=2)))
                if place < N_OWN
                else ListItem(item_id, 100.0 - place, "popularity", ())
                for place, item_id in enumerate(some)
            ]
        )
    return lists


def encoded(lists: list[list[ListItem]], fields: Mapping[str, Any] | None) -> tuple[list[bytes], float]:
    """Every list as it would be published, and the time for each."""
    start = time.perf_counter()
    found = [
        encode_list(
            epoch=1,
            offset=12_345,
            user_id="u1",
            namespace="",
            generated_at_ms=1_700_000_000_000,
            source=("user_events", 0, 12_345),
            model="blend-2ee0480c",
            variant="default",
            items=items,
            fields=fields,
        )
        for items in lists
    ]
    return found, 1e6 * (time.perf_counter() - start) / len(lists)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="Bytes and encoding of lists with titles, beside those without.")
    parser.add_argument("log", type=Path, help="a MovieLens set")
    parser.add_argument("--lists", type=int, default=1000, help="lists in a round (default 1000)")
    parser.add_argument("--rounds", type=int, default=9, help="rounds (default 9)")
    options = parser.parse_args()
    log = MovieLensLog(options.log)
    lists = drawn(log, options.lists)
    entries = {entry.item_id: listed(parse_entry(entry.value), ["title"]) for entry in log.catalogue()}
    titles = {item_id: each for item_id, each in entries.items() if each is not None}
    ways: dict[str, Mapping[str, Any] | None] = {"without": None, "with_titles": titles}
    times: dict[str, list[float]] = {name: [] for name in ways}
    payloads: dict[str, list[bytes]] = {}
    for _ in range(options.rounds):
        for name, fields in ways.items():
            payloads[name], took = encoded(lists, fields)
            times[name].append(took)
    print(
        json.dumps(
            {
                name: {
                    "bytes": round(statistics.mean(map(len, payloads[name]))),
                    "bytes_gzip": round(statistics.mean(len(gzip.compress(each, 6)) for each in payloads[name])),
                    "encode_us": round(statistics.median(times[name]), 1),
                }
                for name in ways
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
