"""Reads and events through the gateway beside FastAPI's hello world and the bare producer, by wrk, in turns.

Run as ``python -m benchmarks.gateway [--seconds 5] [--rounds 5]``. Broker, Redis, gateway and hello world are started
here and share this machine's cores with the load. Lists of 30 items lie in Redis as workers write them; no worker runs.
Prints one JSON object: medians over the rounds, answers or events a second, 99th percentiles in ms, and what the
gateway reaches of what stands beside it.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.request import urlopen

import orjson
from aiokafka import AIOKafkaProducer

from app.kafka import writer
from app.local.ports import HOST, free_port
from app.local.stack import LocalStack
from app.settings import Settings
from app.store import Store
from app.store.hashes import STAMP
from app.worker.preflight import prepare_topics
from app.worker.process import WorkerProcess, environment
from benchmarks.redis_cluster import made
from tools.debian import FOLDER, fetch, found, library_path

CONNECTIONS = 16
THREADS = 2
BATCH = 100
N_USERS = 5000
N_BODIES = 50
TTL_S = 3600
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}

READ = """
local n = 0
request = function()
  n = (n + 7919) % {n_users}
  return wrk.format("GET", "/v1/users/u" .. n .. "/recommendations{query}")
end
"""
POST = """
local bodies, n = {{}}, 0
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
local headers = {{["Content-Type"] = "application/json"}}
request = function()
  n = n % #bodies + 1
  return wrk.format("POST", "/v1/events", headers, bodies[n])
end
"""


class Load(NamedTuple):
    """What came of one load: answers a second, and the 99th percentile, ms."""

    per_s: float
    p99_ms: float


def wrk(url: str, seconds: int, script: Path | None = None) -> Load:
    """Load an address for some seconds.

    Raises
    ------
    RuntimeError
        If any answer was none of 200 to 399.
    """
    options = [f"-t{THREADS}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    options += ["-s", str(script)] if script else []
    variables = {"LD_LIBRARY_PATH": library_path(), "PATH": "/usr/bin:/bin"}
    said = subprocess.run(
        [str(found("wrk")), *options, url], capture_output=True, text=True, check=True, env=variables
    ).stdout
    per_s, p99 = re.search(r"Requests/sec:\s+([\d.]+)", said), re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    if "Non-2xx" in said or "Socket errors" in said or per_s is None or p99 is None:
        raise RuntimeError(said)
    return Load(float(per_s[1]), float(p99[1]) * MILLISECONDS[p99[2]])


def viewed(number: int) -> dict[str, Any]:
    """An event of now."""
    now_ms = int(time.time() * 1000)
    return {"user_id": f"u{number % N_USERS}", "item_id": f"i{number % 997}", "event_type": "view", "timestamp": now_ms}


async def publish(settings: Settings) -> None:
    """Write lists of all users, and the titles of their items."""
    store = Store(settings.redis, keys=settings.keys)
    try:
        await store.emptied()
        entries = made(N_USERS, 0)
        for start in range(0, len(entries), 500):
            await store.publish_lists(entries[start : start + 500], TTL_S)
        fields: list[dict[str, str | int]] = [
            {"title": f"The title of item {n}", STAMP: int(time.time() * 1000)} for n in range(30)
        ]
        await store.write_hashes([(settings.keys.item_features(f"item-{n}"), each) for n, each in enumerate(fields)])
    finally:
        await store.close()


async def produce(broker: str, topic: str, seconds: int) -> Load:
    """Batches of events by the producer alone, as many on their way as there are connections."""
    settings = Settings(broker=broker)
    producer: AIOKafkaProducer = writer(settings.kafka, max_batch_size=131_072)
    await producer.start()
    bodies = [[orjson.dumps(viewed(n)) for n in range(start, start + BATCH)] for start in range(0, 5000, BATCH)]
    until, took_ms = time.monotonic() + seconds, list[float]()

    async def send(number: int) -> None:
        while (began := time.monotonic()) < until:
            number = (number + 1) % len(bodies)
            sent = [await producer.send(topic, value, key=b"u%d" % n) for n, value in enumerate(bodies[number])]
            await asyncio.gather(*sent)
            took_ms.append(1000 * (time.monotonic() - began))

    began = time.monotonic()
    await asyncio.gather(*(send(number) for number in range(CONNECTIONS)))
    per_s = len(took_ms) / (time.monotonic() - began)
    await producer.stop()
    return Load(per_s, statistics.quantiles(took_ms, n=100)[-1])


def bare(settings: Settings, seconds: int) -> Load:
    """`produce` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gateway", "--produce", settings.broker, settings.names.events]
    done = subprocess.run([*command, "--seconds", str(seconds)], capture_output=True, text=True, check=True)
    return Load(*json.loads(done.stdout))


def hello(folder: Path, stack: ExitStack) -> str:
    """FastAPI's hello world by uvicorn, as its own page shows it; its address."""
    (folder / "hello.py").write_text(
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        '@app.get("/")\nasync def root():\n    return {"message": "Hello World"}\n'
    )
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "hello:app", "--port", str(port), "--no-access-log"]
    server = subprocess.Popen([*command, "--log-level", "warning"], cwd=folder)
    stack.callback(server.wait)
    stack.callback(server.terminate)
    url, due = f"http://{HOST}:{port}", time.monotonic() + 30
    while True:
        try:
            urlopen(url, timeout=1).close()
            return url
        except OSError:
            if time.monotonic() > due:
                raise
            time.sleep(0.1)


def serve(settings: Settings, folder: Path, stack: ExitStack) -> str:
    """A gateway; its address."""
    process = WorkerProcess(
        environment(settings), folder / "gateway.log", arguments=("gateway", "--json", "--port", "0"), folder=folder
    )
    stack.callback(process.kill)
    process.wait_for(lambda one: bool(one.of_kind("listening")), 60, "listening")
    url, due = str(process.of_kind("listening")[0]["url"]), time.monotonic() + 60
    while True:
        try:
            urlopen(f"{url}/readyz", timeout=3).close()
            return url
        except OSError:
            if time.monotonic() > due:
                raise
            time.sleep(0.1)


def scripts(folder: Path) -> dict[str, Path]:
    """What wrk asks for."""
    bodies = folder / "bodies"
    bodies.write_bytes(
        b"\n".join(
            orjson.dumps([viewed(start + n) for n in range(BATCH)]) for start in range(0, N_BODIES * BATCH, BATCH)
        )
    )
    texts = {
        "lists": READ.format(n_users=N_USERS, query=""),
        "lists_with_titles": READ.format(n_users=N_USERS, query="?titles=true"),
        "events": POST.format(bodies=bodies),
    }
    made_of = {name: folder / f"{name}.lua" for name in texts}
    for name, path in made_of.items():
        path.write_text(texts[name])
    return made_of


def told(rounds: Sequence[dict[str, Load]]) -> dict[str, Any]:
    """Medians, and the medians of what was reached in each round."""

    def ratio(part: str, whole: str) -> float:
        return round(statistics.median(each[part].per_s / each[whole].per_s for each in rounds), 3)

    shown: dict[str, Any] = {}
    for name in rounds[0]:
        per = BATCH if name in ("events", "producer") else 1
        shown[f"{name}_per_s"] = round(per * statistics.median(each[name].per_s for each in rounds))
        shown[f"{name}_p99_ms"] = round(statistics.median(each[name].p99_ms for each in rounds), 1)
    return {
        **shown,
        "lists_of_hello": ratio("lists", "hello"),
        "lists_with_titles_of_hello": ratio("lists_with_titles", "hello"),
        "events_of_producer": ratio("events", "producer"),
    }


def main(seconds: int, n_rounds: int, metrics: bool) -> None:
    """Start everything, load it in turns, and print what came of it."""
    if found("wrk") is None:
        fetch(("wrk",), FOLDER)
    with TemporaryDirectory() as temporary, ExitStack() as stack:
        folder = Path(temporary)
        local = stack.enter_context(LocalStack(folder / "stack"))
        port = free_port() if metrics else 0
        settings = Settings(
            broker=local.broker,
            redis_url=local.redis_url,
            gateway_rate_per_s=0,
            gateway_metrics_listen_port=port,
        )
        asyncio.run(prepare_topics(settings))
        asyncio.run(publish(settings))
        asked, greeting, gateway = scripts(folder), hello(folder, stack), serve(settings, folder, stack)
        rounds = []
        for number in range(-1, n_rounds):
            of_it = {"hello": wrk(greeting, seconds)}
            of_it |= {name: wrk(gateway, seconds, script) for name, script in asked.items()}
            of_it["producer"] = bare(settings, seconds)
            if number >= 0:  # the first one warms up
                rounds.append(of_it)
        print(json.dumps(told(rounds)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--metrics", action="store_true", help="serve the gateway's metrics")
    parser.add_argument("--produce", nargs=2, metavar=("BROKER", "TOPIC"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.produce:
        print(json.dumps(asyncio.run(produce(given.produce[0], given.produce[1], given.seconds))))
    else:
        main(given.seconds, given.rounds, given.metrics)
