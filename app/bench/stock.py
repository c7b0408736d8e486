"""The counter to compare with: a plain Faust agent and table, as the documentation of Faust shows them.

Run as `python -m app.bench.stock BROKER NAME TOPIC PARTITIONS SESSION_TIMEOUT_S`. Everything has Faust's default but
what a short run on one computer needs: the number of partitions, a short session (with the default, a minute, nothing
would be counted for a minute after each kill), and no web server, whose port only one worker could have. How far it
is goes to standard output, as the lines of Freshet's own worker.
"""

import sys
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import faust
import orjson

TABLE = "counts"
REPORT_S = 0.1


def changelog(name: str) -> str:
    """The topic that holds the counts of the app of that name."""
    return f"{name}-{TABLE}-changelog"


def create_app(broker: str, name: str, topic: str, n_partitions: int, session_timeout_s: float) -> faust.App:
    """The counter: `table[user] += 1` for every event."""
    app = faust.App(
        name,
        broker=f"kafka://{broker}",
        store="memory://",
        topic_partitions=n_partitions,
        broker_session_timeout=session_timeout_s,
        broker_heartbeat_interval=session_timeout_s / 6,
        broker_rebalance_timeout=2 * session_timeout_s,
        web_enabled=False,
    )
    table = app.Table(TABLE, default=int)
    offsets: dict[int, int] = {}
    said_s = monotonic()

    @app.agent(app.topic(topic, value_serializer="json"))
    async def count(stream: Any) -> None:
        nonlocal said_s
        async for event in _events(stream):
            table[event.value["user_id"]] += 1
            offsets[event.message.partition] = event.message.offset + 1
            if monotonic() - said_s > REPORT_S:
                said_s = monotonic()
                _say("progress", offsets)

    @app.on_partitions_assigned.connect
    async def assigned(*arguments: Any, **_options: Any) -> None:
        offsets.clear()
        _say("assigned", sorted(tp.partition for tp in arguments[-1] if tp.topic == topic))

    return app


async def _events(stream: Any) -> AsyncIterator[Any]:
    async for event in stream.events():
        yield event


def _say(event: str, partitions: object) -> None:
    line = orjson.dumps({"event": event, "partitions": partitions}, option=orjson.OPT_NON_STR_KEYS)
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run one worker."""
    broker, name, topic, n_partitions, session_timeout_s = sys.argv[1:6]
    app = create_app(broker, name, topic, int(n_partitions), float(session_timeout_s))
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.spinner = None  # it would write control characters in front of a line
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
