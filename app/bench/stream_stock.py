"""The agent to compare the pipeline's speed with: plain Faust with its default settings.

Run as `python -m app.bench.stream_stock BROKER NAME TOPIC PARTITIONS EVENTS`. JSON values and `table[user] += 1`,
nothing else. The number of partitions is said because it has to be that of the topic, and the web server is left out,
because its port may be taken. How far it is, and since its first event how many seconds, goes to standard output.
"""

import sys
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import faust
import orjson

REPORT_S = 0.2


def create_app(broker: str, name: str, topic: str, n_partitions: int, n_events: int) -> faust.App:
    """The counter; it tells how far it is until the last of the events."""
    app = faust.App(name, broker=f"kafka://{broker}", topic_partitions=n_partitions, web_enabled=False)
    table = app.Table("counts", default=int)
    offsets: dict[int, int] = {}
    began = said = 0.0

    @app.agent(app.topic(topic, value_serializer="json"))
    async def count(stream: Any) -> None:
        nonlocal began, said
        async for event in _events(stream):
            began = began or monotonic()
            table[event.value["user_id"]] += 1
            offsets[event.message.partition] = event.message.offset + 1
            now = monotonic()
            if now - said > REPORT_S or sum(offsets.values()) == n_events:
                said = now
                _say(sum(offsets.values()), now - began)

    return app


async def _events(stream: Any) -> AsyncIterator[Any]:
    async for event in stream.events():
        yield event


def _say(n: int, seconds: float) -> None:
    sys.stdout.buffer.write(orjson.dumps({"n": n, "seconds": seconds}) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run one worker."""
    broker, name, topic, n_partitions, n_events = sys.argv[1:6]
    app = create_app(broker, name, topic, int(n_partitions), int(n_events))
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.spinner = None  # it would write control characters in front of a line
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
