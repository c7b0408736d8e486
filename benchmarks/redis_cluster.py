"""Lists published a second on a Redis Cluster of three nodes beside a single server, in turns, in one run.

Run as ``python -m benchmarks.redis_cluster [--lists 20000] [--rounds 5]``. All servers are started here, on this
machine, so the nodes share its cores: what is compared is the cost of one key a call and a pipeline per node with many
keys a call, not what three machines can do. Prints one JSON object; speeds are medians over the rounds, in lists/s.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from app.local.redis import RedisServer
from app.store import Store
from app.worker.lists import CALLS, LISTS_PER_CALL, LISTS_PER_CALL_BEHIND
from tables.keys import Keys
from tables.list_encoding import encode_list
from tables.list_json import ListItem
from tests.redis_cluster import LocalCluster

TTL_S = 600
N_USERS = 5000

Entry = tuple[str, bytes]


def made(n: int, offset: int) -> list[Entry]:
    """Lists of 30 items, of as many users as there are, over and over."""
    keys = Keys()
    items = [ListItem(f"item-{number}", 1 / (number + 1), "blend", ("item-99",)) for number in range(30)]
    return [
        (
            keys.user_list(f"u{number % N_USERS}"),
            encode_list(
                epoch=0,
                offset=offset + number,
                user_id=f"u{number % N_USERS}",
                namespace="",
                generated_at_ms=1,
                source=("user_events", 0, offset + number),
                model="m",
                variant="default",
                items=items,
            ),
        )
        for number in range(n)
    ]


async def lists_per_s(store: Store, entries: Sequence[Entry], per_call: int) -> float:
    """As a worker sends them: some calls on their way at once."""
    parts = iter([entries[start : start + per_call] for start in range(0, len(entries), per_call)])

    async def send() -> int:
        return sum([(await store.publish_lists(part, TTL_S)).written for part in parts])

    began = time.perf_counter()
    written = sum(await asyncio.gather(*[send() for _ in range(CALLS)]))
    if written != len(entries):
        raise SystemExit(f"{written} of {len(entries)} lists were written.")
    return len(entries) / (time.perf_counter() - began)


async def compare(single_url: str, cluster_url: str, n_lists: int, n_rounds: int) -> dict[str, object]:
    """Both, at both sizes of a call, round by round."""
    stores = {"single": Store(single_url), "cluster": Store(cluster_url)}
    speeds: dict[tuple[str, int], list[float]] = {}
    offset = 0
    try:
        for number in range(n_rounds + 1):
            for per_call in (LISTS_PER_CALL, LISTS_PER_CALL_BEHIND):
                entries, offset = made(n_lists, offset), offset + n_lists
                for name, store in stores.items():
                    speed = await lists_per_s(store, entries, per_call)
                    if number:  # the first round warms up
                        speeds.setdefault((name, per_call), []).append(speed)
    finally:
        for store in stores.values():
            await store.close()
    result: dict[str, object] = {"nodes": 3, "lists": n_lists, "bytes_per_list": len(made(1, 0)[0][1])}
    for per_call in (LISTS_PER_CALL, LISTS_PER_CALL_BEHIND):
        single, cluster = speeds["single", per_call], speeds["cluster", per_call]
        result[f"{per_call}_lists_at_once"] = {
            "single_lists_per_s": round(statistics.median(single)),
            "cluster_lists_per_s": round(statistics.median(cluster)),
            "ratio": round(statistics.median(c / s for c, s in zip(cluster, single, strict=True)), 2),
        }
    return result


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="Lists published a second on a cluster beside a single server.")
    parser.add_argument("--lists", type=int, default=20_000, help="lists in a round (default 20000)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds (default 5)")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="freshet-cluster-") as folder:
        single, cluster = RedisServer(Path(folder) / "single"), LocalCluster(Path(folder) / "cluster")
        try:
            single.start()
            cluster.start()
            print(json.dumps(asyncio.run(compare(single.url, cluster.url, options.lists, options.rounds)), indent=2))
        finally:
            single.stop()
            cluster.stop()


if __name__ == "__main__":
    main()
