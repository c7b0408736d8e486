"""Golden vectors: where real clients put keys of every kind, at 6 and 8 partitions."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import orjson

from app.kafka import create_topics
from app.local.stack import LocalStack
from models.partitioner import fitting
from tables.names import TopicSpec
from tests.scene import Scene
from tools.producers.clients import Client
from tools.producers.trial import DEFAULT

PARTITIONS = (6, 8)  # at powers of two some wrong formulas agree with the right ones
TEXT = "kéy-日本-🦊-größe-ключ-"
PER_LENGTH = 3


def keys() -> list[str]:
    """Keys of every length up to 24 bytes, ASCII and not, the ends of all at every place in a word; and long ones."""
    made = [f"{start}{'0123456789abcdefghijklmnop'[:size]}"[:size] for size in range(1, 25) for start in "ukz"]
    made += [TEXT[start : start + size] for size in range(1, 9) for start in range(0, len(TEXT) - size, 5)]
    made += ["d9b1d7db-6f5c-4ab1-a4a1-0c2f9e77ab12", "user@example.com", "77", "-1", "a" * 255, "ü" * 128, TEXT * 7]
    return sorted(set(made))


def record_vectors(clients: Iterable[Client], stack: LocalStack, scene: Scene, path: Path) -> None:
    """Let each client send every key to a topic of 6 and one of 8 partitions, and write down where they came."""
    known, found = keys(), []
    for client in clients:
        if missing := client.ready():
            print(f"{client.name}: left out, {missing}")
            continue
        entry: dict[str, object] = {"client": client.name, "title": client.title, "version": client.version()}
        placed: dict[int, list[int]] = {}
        for n in PARTITIONS:
            topic = f"{scene.settings.namespace}.vectors-{client.name}-{n}"
            asyncio.run(create_topics(scene.settings.kafka, [TopicSpec(topic, n)], 1))
            client.send(scene.settings.broker, topic, DEFAULT, [f"{key}\t{{}}" for key in known])
            where = {record.key.decode(): record.partition for record in scene.read(topic)}
            placed[n] = [where[key] for key in known]
            entry[str(n)] = "".join(str(partition) for partition in placed[n])
        names = [name for name in fits(known, placed[6], 6) if name in fits(known, placed[8], 8)]
        assert len(names) == 1, f"{client.name}: {names or 'no partitioner'} fits"
        found.append({**entry, "partitioner": names[0]})
        print(f"{client.name}: {names[0]}", flush=True)
    path.write_bytes(orjson.dumps({"keys": known, "clients": found}, option=orjson.OPT_INDENT_2) + b"\n")


def fits(known: list[str], placed: list[int], n: int) -> list[str]:
    """The partitioners that put every key where it came."""
    return fitting(((key.encode(), partition) for key, partition in zip(known, placed, strict=True)), n)
