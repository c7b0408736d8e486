"""The reference of `freshet bench freshness`: a plain consumer of the same topic that parses events and nothing else.

Run as `python -m app.bench.freshness_raw TOPIC PARTITIONS`; the settings say where Kafka is. For each event whose
context says when it was due it notes how long after that it was parsed. At the end of standard input the latencies (ms)
go to standard output.
"""

import asyncio
import sys
from time import monotonic

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from app.broker import Broker
from app.kafka import start_client
from app.settings import load_settings

POLL_MS = 500


async def consume(broker: Broker, topic: str, n_partitions: int) -> None:
    """Read from the end of the topic on until standard input ends."""
    consumer = AIOKafkaConsumer(**broker.client(), enable_auto_commit=False)
    await start_client(consumer, broker)
    try:
        partitions = [TopicPartition(topic, number) for number in range(n_partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        for partition in partitions:
            await consumer.position(partition)
        _say({"event": "ready"})
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        latencies_ms: list[float] = []
        while not ended.is_set():
            for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
                for record in records:
                    due = orjson.loads(record.value).get("context", {}).get("due")
                    if due is not None:
                        latencies_ms.append(1000 * (monotonic() - due))
        _say({"event": "result", "latencies_ms": latencies_ms})
    finally:
        await consumer.stop()


def _say(line: dict[str, object]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(consume(load_settings().kafka, sys.argv[1], int(sys.argv[2])))
