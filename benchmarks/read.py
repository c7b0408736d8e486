"""What the client's read costs beside bare redis-py with hiredis that reads the same keys, in turns, in one run.

Run as `make bench-read`, or with `PYTHONPATH=clients/python` as `python -m benchmarks.read`. It is no command of
`freshet`: the application does not import the client, which is a distribution of its own. A Redis of its own holds
lists of 30 items and the default list; both wait for a reply half a second at most. Each round reads every user once
by each way, the ways in changing order. `pipeline` and `mget` take the bytes as they come; `pipeline_parsed` parses
the JSON of the first that is there, too, and so does the client, which gives a whole `RecommendationList`. Prints one
JSON object: median reads per second, and the client's ratio to each of the others, the median over the rounds.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import redis

from app.local.redis import RedisServer
from freshet_client import Reader
from tables.list_encoding import encode_list
from tables.list_json import ListItem

N_USERS, N_ITEMS, N_ROUNDS = 500, 30, 21


def some_list(user_id: str | None) -> bytes:
    """A list as workers write it."""
    because = ("12345", "67890") if user_id else ()
    items = [ListItem(f"{7919 * place % 100_000}", 0.4 / (61 + place), "co_occurrence", because) for place in range(30)]
    return encode_list(
        epoch=1,
        offset=12_345,
        user_id=user_id,
        namespace="",
        generated_at_ms=1_700_000_000_000,
        source=("user_events", 0, 12_345),
        model="blend-2ee0480c",
        variant="default",
        items=items[:N_ITEMS],
    )


def ways(url: str, client: redis.Redis) -> dict[str, Callable[[str], Any]]:
    """Each way to read a user's list."""
    reader = Reader(url)

    def pipeline(user_id: str) -> Any:
        with client.pipeline(transaction=False) as asked:
            asked.get(f"recs:user:{user_id}")
            asked.get("recs:default")
            return asked.execute()

    def pipeline_parsed(user_id: str) -> Any:
        return orjson.loads(next(each for each in pipeline(user_id) if each is not None))

    def mget(user_id: str) -> Any:
        return client.mget(f"recs:user:{user_id}", "recs:default")

    return {"client": reader.recs, "pipeline": pipeline, "pipeline_parsed": pipeline_parsed, "mget": mget}


def measured(url: str) -> dict[str, Any]:
    """The comparison."""
    with redis.Redis.from_url(url, protocol=2, socket_timeout=0.5) as client:
        for number in range(N_USERS):
            client.set(f"recs:user:{number}", some_list(str(number)))
        client.set("recs:default", some_list(None))
        asked = ways(url, client)
        names = list(asked)
        rates: dict[str, list[float]] = {name: [] for name in names}
        for number in range(N_ROUNDS + 1):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                read, began = asked[name], time.perf_counter()
                for user in range(N_USERS):
                    read(str(user))
                rates[name].append(N_USERS / (time.perf_counter() - began))
    warm = {name: each[1:] for name, each in rates.items()}
    return {
        "reads_per_s": {name: round(statistics.median(each)) for name, each in warm.items()},
        "client_to": {
            name: round(statistics.median(ours / theirs for ours, theirs in zip(warm["client"], each, strict=True)), 3)
            for name, each in warm.items()
            if name != "client"
        },
    }


def main() -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory(prefix="freshet-read-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            print(json.dumps(measured(server.url), indent=2))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
