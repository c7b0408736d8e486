"""The counter to compare with: a plain Faust agent and table, as the documentation of Faust shows them.

Run as `python -m app.bench.stock NAME TOPIC PARTITIONS [SESSION_TIMEOUT_S]`; the settings say where Kafka is. JSON
values and `table[user] += 1`, nothing else, and everything has Faust's default but: the number of partitions, which has
to be that of the topic; no web server, whose port only one worker could have; and the session's timeout, if it is given
(with the default, a minute, nothing would be counted for a minute after each kill).

How far it is goes to standard output, as the lines of Freshet's own worker; `seconds` is the time from its first event
to its newest.
"""

import sys
from time import monotonic
from typing import Any

import faust
import orjson

from app.broker import Broker
from app.settings import load_settings
from app.worker.client import credentials

TABLE = "counts"
REPORT_S = 0.1


def changelog(name: str) -> str:
    """The topic that holds the counts of the app of that name."""
    return f"{name}-{TABLE}-changelog"


def create_app(broker: Broker, name: str, topic: str, n_partitions: int, session_timeout_s: float | None) -> faust.App:
    """The counter: `table[user] += 1` for every event."""
    app = faust.App(
        name,
        broker=f"kafka://{broker.servers.replace(',', ';')}",
        broker_credentials=credentials(broker),
        topic_partitions=n_partitions,
        web_enabled=False,
        **_session(session_timeout_s),
    )
    table = app.Table(TABLE, default=int)
    offsets: dict[int, int] = {}
    first_s = newest_s = 0.0

    @app.agent(app.topic(topic, value_serializer="json"))
    async def count(stream: Any) -> None:
        nonlocal first_s, newest_s
        async for event in stream.events():
            first_s = first_s or monotonic()
            table[event.value["user_id"]] += 1
            offsets[event.message.partition] = event.message.offset + 1
            newest_s = monotonic()

    async def report() -> None:
        _say("progress", partitions=offsets, seconds=newest_s - first_s)

    app.timer(REPORT_S)(report)

    @app.on_partitions_assigned.connect
    async def assigned(*arguments: Any, **_options: Any) -> None:
        offsets.clear()
        _say("assigned", partitions=sorted(tp.partition for tp in arguments[-1] if tp.topic == topic))

    return app


def _session(timeout_s: float | None) -> dict[str, Any]:
    if timeout_s is None:
        return {}
    return {
        "broker_session_timeout": timeout_s,
        "broker_heartbeat_interval": timeout_s / 6,
        "broker_rebalance_timeout": 2 * timeout_s,
    }


def _say(event: str, **fields: object) -> None:
    line = orjson.dumps({"event": event, **fields}, option=orjson.OPT_NON_STR_KEYS)
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Run one worker."""
    name, topic, n_partitions, *rest = sys.argv[1:]
    app = create_app(load_settings().kafka, name, topic, int(n_partitions), float(rest[0]) if rest else None)
    worker = faust.Worker(app, loglevel="WARNING", quiet=True, redirect_stdouts=False)
    worker.spinner = None  # it would write control characters in front of a line
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
