"""One client against a real broker and worker: what it sends arrives, at once or with the setting that is named."""

import asyncio
import re
import struct
import time
from dataclasses import dataclass
from pathlib import Path

import orjson

from app.kafka import create_topics
from app.local.stack import LocalStack
from models.partitioner import fitting
from tables.names import TopicSpec
from tests.command import freshet
from tests.logs import START_MS
from tests.scene import Scene
from tools.producers.clients import Client

N_EVENTS = 200
N_PARTITIONS = 6
DEFAULT = "default"
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
PATIENCE_S = 90.0
DIRECT = "directly"
NO_FUNCTION = "no function of the key"
_HEADER, _ATTRIBUTES_AT, _LENGTH_AT = 61, 21, 8


@dataclass(frozen=True)
class Row:
    """What came of one client.

    Parameters
    ----------
    partitioner
        Names of the formulas that fit every key in the log; none: it is no function of the key.
    default_codec
        As the batches in the log say.
    sent, at_once, counted
        Events; counted with the default settings; counted in the end.
    named
        What `freshet doctor` found out, and which setting it named.
    by
        What made the rest count.
    """

    client: str
    version: str
    partitioner: str
    default_codec: str
    codecs: str
    sent: int
    at_once: int
    named: str
    by: str
    counted: int


def users_of(client: Client, codec: str) -> list[str]:
    """Who sends in one run: one event each."""
    return [f"{client.name}-{codec}-{number}" for number in range(N_EVENTS)]


def lines_of(users: list[str]) -> list[str]:
    """A valid event of each user as `key<TAB>value`."""
    events = [
        {"user_id": user, "item_id": f"item-{n % 17}", "event_type": "view", "timestamp": START_MS + n}
        for n, user in enumerate(users)
    ]
    return [f"{event['user_id']}\t{orjson.dumps(event).decode()}" for event in events]


def try_client(client: Client, stack: LocalStack, scene: Scene, codecs: tuple[str, ...]) -> Row:
    """Send with each codec, look at what is counted, and do what the doctor names.

    Raises
    ------
    AssertionError
        If a partition is not folded in time.
    """
    scene.create(N_PARTITIONS)
    worker = scene.worker()
    users: list[str] = []
    default_codec = ""
    for codec in (DEFAULT, *codecs):
        sent = users_of(client, codec)
        client.send(scene.settings.broker, scene.names.events, codec, lines_of(sent))
        users += sent
        default_codec = default_codec or ", ".join(sorted(codecs_in(stack, scene.names.events)))
    scene.n_sent = len(users)
    at_once = counted(scene, users)
    log = scene.read(scene.names.events)
    names = fitting([(record.key, record.partition) for record in log], N_PARTITIONS)
    named, by, end = "", DIRECT, at_once
    if at_once < len(users):
        named, setting = diagnosis(scene)
        if setting:
            assert worker.stop() == 0
            scene.configure(partitioner=setting)
            assert freshet("reset", "--yes", settings=scene.settings).code == 0
            worker.progress = {}
            scene.worker()
            by = f"FRESHET_PARTITIONER={setting}"
        else:
            assert worker.stop() == 0
            by = "the intake, from a topic of its own"
            users = through_the_intake(client, scene, codecs)
        end = counted(scene, users)
    return Row(
        client.title,
        client.version(),
        " or ".join(names) or NO_FUNCTION,
        default_codec,
        " ".join(codecs),
        len(users),
        at_once,
        named,
        by,
        end,
    )


def through_the_intake(client: Client, scene: Scene, codecs: tuple[str, ...]) -> list[str]:
    """Send as much to a topic of any keys that a source of the settings names; returns the users."""
    topic = f"shop-{scene.settings.namespace}"
    asyncio.run(create_topics(scene.settings.kafka, [TopicSpec(topic, N_PARTITIONS)], 1))
    scene.configure(sources={"shop": {"topics": [topic]}})
    scene.worker()
    users = [f"{user}-again" for codec in (DEFAULT, *codecs) for user in users_of(client, codec)]
    for place, codec in enumerate((DEFAULT, *codecs)):
        sent = users[place * N_EVENTS : (place + 1) * N_EVENTS]
        client.send(scene.settings.broker, topic, codec, lines_of(sent))
    scene.n_sent += len(users)

    def missing() -> dict[str, int]:
        n = scene.n_sent - len(scene.read(scene.names.events))
        return {"missing": n} if n else {}

    scene.await_none(missing, PATIENCE_S, "events that went through the intake")
    return users


def counted(scene: Scene, users: list[str]) -> int:
    """Users whose one event is in the checkpoints, once all of the log is; a user counted otherwise is an error."""
    ends = {state.number: state.next_offset for state in scene.await_durable(PATIENCE_S)}
    stored = scene.stored(N_PARTITIONS)
    while any(state.next_offset < ends[state.number] for state in stored):  # readers see a commit some moments later
        time.sleep(0.05)
        stored = scene.stored(N_PARTITIONS)
    found = {user: state.users.get(user) for state in stored for user in state.users}
    assert all(user is not None and user.n_events == 1 for user in found.values())
    return len(found.keys() & set(users))


def diagnosis(scene: Scene) -> tuple[str, str]:
    """What the doctor says of the partitioner, and the value that it names, empty if none."""
    findings = orjson.loads(freshet("doctor", "--json", settings=scene.settings).out)["findings"]
    (finding,) = [each for each in findings if each["check"] == "partitioner"]
    setting = re.search(r"FRESHET_PARTITIONER=(\w+)", finding["advice"])
    return finding["found"].partition("; ")[2], setting[1] if setting else ""


def codecs_in(stack: LocalStack, topic: str) -> set[str]:
    """The codecs of the record batches in a topic, by the broker's files."""
    found: set[str] = set()
    for path in (stack.folder / "kafka" / "data").glob(f"{topic}-[0-9]*/*.log"):
        found |= batch_codecs(path)
    return found


def batch_codecs(path: Path) -> set[str]:
    """The codecs in one segment: in the attributes of each batch's header."""
    data, at, found = path.read_bytes(), 0, set()
    while at + _HEADER <= len(data):
        (length,) = struct.unpack_from(">i", data, at + _LENGTH_AT)
        (attributes,) = struct.unpack_from(">h", data, at + _ATTRIBUTES_AT)
        if length == 0:
            break  # the file may be longer than what is written
        found.add(CODECS[attributes & 7])
        at += _LENGTH_AT + 4 + length
    return found
