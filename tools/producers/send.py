"""Sends records with one Python client: CLIENT BROKER TOPIC CODEC, `key<TAB>value` lines on standard input.

Clients are confluent-kafka and aiokafka and, after a dot, another partitioner of theirs. CODEC is none, gzip, snappy,
lz4 or zstd, or "default" for whatever the client does by itself.
"""

import asyncio
import sys

Records = list[tuple[bytes, bytes]]


def confluent(partitioner: str, broker: str, topic: str, codec: str, records: Records) -> None:
    """librdkafka, by its Python binding."""
    from confluent_kafka import Producer

    options = {"bootstrap.servers": broker}
    if codec != "default":
        options["compression.type"] = codec
    if partitioner:
        options["partitioner"] = partitioner
    producer = Producer(options)
    for key, value in records:
        producer.produce(topic, key=key, value=value)
    if left := producer.flush(60):
        sys.exit(f"{left} records were not sent")


async def aiokafka(_: str, broker: str, topic: str, codec: str, records: Records) -> None:
    """The client that Freshet itself is built on."""
    from aiokafka import AIOKafkaProducer

    options = {} if codec in ("default", "none") else {"compression_type": codec}
    async with AIOKafkaProducer(bootstrap_servers=broker, **options) as producer:
        for ack in [await producer.send(topic, key=key, value=value) for key, value in records]:
            await ack


def main() -> None:
    """Send what standard input holds."""
    client, broker, topic, codec = sys.argv[1:]
    name, _, partitioner = client.partition(".")
    records: Records = []
    for line in sys.stdin.buffer.read().splitlines():
        key, _, value = line.partition(b"\t")
        records.append((key, value))
    if name == "aiokafka":
        asyncio.run(aiokafka(partitioner, broker, topic, codec, records))
    elif name == "confluent-kafka":
        confluent(partitioner, broker, topic, codec, records)
    else:
        sys.exit(f"no client {client}")
    print(len(records))


if __name__ == "__main__":
    main()
