"""`freshet dead-letters` on a real topic."""

import asyncio

import orjson
from aiokafka import ConsumerRecord

from app.kafka import writer
from app.worker.dead_letters import DeadLetterSender
from models.errors import InvalidEvent
from tests.command import freshet
from tests.scene import Scene

DAY_MS = 86_400_000


def bad(scene: Scene, partition: int, offset: int, value: bytes | None) -> ConsumerRecord:
    """A record of the log that could not be folded."""
    return ConsumerRecord(scene.names.events, partition, offset, DAY_MS, 0, b"u\xff", value, None, 1, 1, ())


def dead_letters_of(scene: Scene) -> None:
    """Write four dead letters, one of them twice, and one record that is not ours."""

    async def write() -> None:
        sender = DeadLetterSender(scene.settings.kafka, scene.names.dead_letters)
        await sender.start()
        first = bad(scene, 0, 7, b"\x1b[31m\xfe\n")
        letters = [
            (first, InvalidEvent("not_json", "no \x1b[2J json")),
            (bad(scene, 1, 7, b"[1]"), InvalidEvent("not_object", "an array")),
            (first, InvalidEvent("not_json", "no \x1b[2J json")),
            (bad(scene, 0, 8, b"x" * 5000), InvalidEvent("not_json", "long")),
            (bad(scene, 0, 9, None), InvalidEvent("not_json", "null")),
        ]
        for record, invalid in letters:
            await sender.send(record, invalid)
        await sender.stop()
        producer = writer(scene.settings.kafka)
        await producer.start()
        await producer.send_and_wait(scene.names.dead_letters, b"hello")
        await producer.stop()

    asyncio.run(write())


def test_list_shows_each_once(scene: Scene) -> None:
    """Oldest first, repeats dropped, every byte harmless, long values cut; a note says how many there are."""
    scene.create(2)
    dead_letters_of(scene)

    outcome = freshet("dead-letters", "list", settings=scene.settings)

    rows = [line.split("\t") for line in outcome.out.splitlines()[1:]]
    events = scene.names.events
    assert [row[1] for row in rows] == [
        f"{events} 0 7", f"{events} 1 7", f"{events} 0 8", f"{events} 0 9", f"{scene.names.dead_letters} 0 5",
    ]  # fmt: skip
    assert rows[0] == ["1970-01-02 00:00:00", f"{events} 0 7", "not_json", r"no \x1b[2J json", r"\x1b[31m\xfe\n"]
    assert len(rows[2][4]) == 60
    assert rows[3][4] == "null"
    assert outcome.err == "5 dead letters\n"


def test_reason_and_limit(scene: Scene) -> None:
    """Of one reason the newest are shown, as many as asked for."""
    scene.create(2)
    dead_letters_of(scene)

    outcome = freshet("dead-letters", "list", "--reason", "not_json", "--limit", "2", settings=scene.settings)

    assert [line.split("\t")[3] for line in outcome.out.splitlines()[1:]] == ["long", "null"]
    assert outcome.err == "3 dead letters, the newest 2 are shown (--limit)\n"


def test_json_keeps_every_byte(scene: Scene) -> None:
    """One line each; bytes that are no text come in base64, whole."""
    scene.create(2)
    dead_letters_of(scene)

    outcome = freshet("dead-letters", "list", "--json", settings=scene.settings)

    lines = [orjson.loads(line) for line in outcome.out.splitlines()]
    assert lines[0]["value"] is None
    assert lines[0]["value_base64"] == "G1szMW3+Cg=="
    assert lines[0]["message"] == "no \x1b[2J json"
    assert lines[2]["value"] == "x" * 5000
    assert (lines[3]["value"], "value_base64" in lines[3]) == (None, False)
    assert [line["reason"] for line in lines] == ["not_json", "not_object", "not_json", "not_json", "unknown"]


def test_count_by_reason(scene: Scene) -> None:
    """Each origin counts once, most frequent reason first."""
    scene.create(2)
    dead_letters_of(scene)

    as_json = freshet("dead-letters", "count", "--json", settings=scene.settings)
    as_text = freshet("dead-letters", "count", settings=scene.settings)

    reasons = {"not_json": 3, "not_object": 1, "unknown": 1}
    assert orjson.loads(as_json.out) == {"total": 5, "by_reason": reasons, "repeats": 1, "redriven": 0, "refolded": 0}
    assert as_text.out.splitlines()[1:] == ["not_json\t3", "not_object\t1", "unknown\t1", "total\t5"]
