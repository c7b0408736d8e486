"""`freshet dead-letters redrive` on a real log."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from app.dead_letters.journal import Journal
from app.dead_letters.marks import Marks
from app.kafka import reader
from app.worker.dead_letters import DeadLetterSender
from app.worker.process import environment
from models.errors import InvalidEvent, ServiceError
from models.partitioner import partition_of
from tests.command import Outcome, freshet
from tests.scene import Scene, Sent

N_PARTITIONS = 4
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
ROOT = Path(__file__).parents[2]


def event(user_id: str, event_type: str = "view", **more: object) -> bytes:
    """The bytes of an event; valid unless its fields say otherwise."""
    fields = {"user_id": user_id, "item_id": "i1", "event_type": event_type, "timestamp": int(time.time() * 1000)}
    return orjson.dumps({**fields, **more})


LETTERS: list[tuple[str, bytes | None]] = [
    ("wrong_key", event("u1")),
    ("wrong_partition", event("u2")),
    ("wrong_partition", event("u3")),
    ("wrong_partition", event("u2", value=2)),
    ("unknown_event_type", event("u4", "share")),
    ("unknown_event_type", event("u5", "stare")),
    ("not_json", b"\xff{"),
    ("not_json", None),
]


def put(scene: Scene, letters: list[tuple[str, bytes | None]], first_offset: int = 0) -> None:
    """Write dead letters, all of them twice, from these offsets on."""

    async def write() -> None:
        sender = DeadLetterSender(scene.settings.kafka, scene.names.dead_letters)
        await sender.start()
        numbered = list(enumerate(letters, first_offset)) * 2
        for start in range(0, len(numbered), 500):
            acks = [
                sender.send(
                    ConsumerRecord(scene.names.events, 0, offset, 5, 0, b"key", value, None, 1, 1, ()),
                    InvalidEvent(reason, "as it was"),
                )
                for offset, (reason, value) in numbered[start : start + 500]
            ]
            await asyncio.gather(*acks)
        await sender.stop()

    asyncio.run(write())


def run(scene: Scene, *flags: str) -> Outcome:
    """Re-drive."""
    return freshet("dead-letters", "redrive", *flags, settings=scene.settings)


def result(scene: Scene, *flags: str) -> Mapping[str, Any]:
    """Re-drive without being asked; returns what it says."""
    outcome = run(scene, "--yes", "--json", *flags)
    assert outcome.code == 0, outcome.err
    said: dict[str, Any] = orjson.loads(outcome.out)
    return said


def in_the_log(scene: Scene) -> list[bytes]:
    """Values of the events, partition by partition; each lies where its user belongs, under its user's key."""
    records = scene.read(scene.names.events)
    for record in records:
        assert record.key.decode() == orjson.loads(record.value)["user_id"]
        assert record.partition == partition_of(record.key, N_PARTITIONS, scene.settings.partitioner)
    return [record.value for record in records]


def marks(scene: Scene) -> Marks:
    """What the redrives so far have left."""
    found = Marks()
    for record in scene.read(scene.names.dead_letters):
        found.take(record)
    return found


def values(*places: int) -> list[bytes]:
    """Values of these letters, in no order."""
    return sorted(value for value in (LETTERS[place][1] for place in places) if value is not None)


def test_what_is_valid_today_is_sent_once(scene: Scene) -> None:
    """Repeats and what is still invalid are counted and not sent; a second time there is nothing left to send."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)
    scene.configure(extra_event_types={"share": (1.0, 1)}, partitioner="crc32")

    first, second = result(scene), result(scene)

    assert first == {
        "dry_run": False,
        "redriven": 5,
        "by_reason": {"unknown_event_type": 1, "wrong_key": 1, "wrong_partition": 3},
        "stay": 3,
        "stay_by_reason": {"not_json": 2, "unknown_event_type": 1},
        "already": 0,
        "found": 0,
        "repeats": 8,
        "refolded": 0,
    }
    assert (second["redriven"], second["stay"], second["already"], second["repeats"]) == (0, 3, 5, 8)
    found = in_the_log(scene)
    assert sorted(found) == values(0, 1, 2, 3, 4)
    assert marks(scene).open_ends is None, "the next run need not look for what was sent"
    assert [value for value in found if b'"u2"' in value] == [LETTERS[1][1], LETTERS[3][1]], "in the letters' order"


def test_list_and_count_leave_out_what_was_sent(scene: Scene) -> None:
    """Only what stays is shown; how many were re-driven is said."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)
    result(scene, "--reason", "wrong_partition")

    counted = freshet("dead-letters", "count", "--json", settings=scene.settings)
    listed = freshet("dead-letters", "list", "--json", settings=scene.settings)

    reasons = {"not_json": 2, "unknown_event_type": 2, "wrong_key": 1}
    assert orjson.loads(counted.out) == {"total": 5, "by_reason": reasons, "repeats": 8, "redriven": 3, "refolded": 0}
    assert [orjson.loads(line)["offset"] for line in listed.out.splitlines()] == [0, 4, 5, 6, 7]


def test_reasons_one_by_one(scene: Scene) -> None:
    """A filter leaves the others for later: each is sent by the run that asks for it, newer letters too."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)

    assert result(scene, "--reason", "wrong_partition")["redriven"] == 3
    put(scene, [("wrong_partition", event("u9"))], first_offset=100)
    assert result(scene, "--reason", "wrong_partition")["redriven"] == 1
    assert result(scene, "--reason", "wrong_key")["by_reason"] == {"wrong_key": 1}
    assert result(scene)["redriven"] == 0
    assert len(in_the_log(scene)) == 5


def test_dry_run_changes_nothing(scene: Scene) -> None:
    """It says what would be sent, in both topics everything is as it was."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)

    outcome = run(scene, "--dry-run")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "reason\twould be sent\tstay",
        "not_json\t0\t2",
        "unknown_event_type\t0\t2",
        "wrong_key\t1\t0",
        "wrong_partition\t3\t0",
        "total\t4\t4",
    ]
    assert (in_the_log(scene), len(scene.read(scene.names.dead_letters))) == ([], 2 * len(LETTERS))


def test_nobody_to_be_asked_is_a_wrong_use(scene: Scene) -> None:
    """Without --yes and without a terminal nothing is sent."""
    outcome = run(scene)
    assert (outcome.code, "say --yes" in outcome.err) == (2, True)


def test_no_topic_is_a_failure(scene: Scene) -> None:
    """It says what makes the topic."""
    outcome = run(scene, "--yes")
    assert (outcome.code, "there is no topic" in outcome.err) == (1, True)


def test_a_run_that_dies_before_its_marks_is_mended_by_the_next(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was sent and not marked is found in the log, between other events, and not sent again."""
    scene.create(N_PARTITIONS)
    scene.send([Sent(b"u1", event("u1"))])
    put(scene, LETTERS)

    async def dies(*_: object) -> None:
        raise ServiceError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "mark", dies)
        outcome = run(scene, "--yes", "--reason", "wrong_partition")
    assert sum((marks(scene).open_ends or {}).values()) == 1, "where the log ended when the run began"
    assert (outcome.code, "killed" in outcome.err) == (1, True)
    assert len(in_the_log(scene)) == 4
    scene.send([Sent(b"u1", event("u1"))])

    after = result(scene)

    assert (after["found"], after["already"], after["by_reason"]) == (3, 3, {"wrong_key": 1})
    assert result(scene)["found"] == 0
    in_the_log(scene)
    redriven = [record.value for record in scene.read(scene.names.events) if record.headers]
    assert sorted(redriven) == values(0, 1, 2, 3)


async def killed_behind(scene: Scene, n_more: int) -> tuple[int, int]:
    """Return how a redrive ended that is killed once it has sent this many letters, and how many the log then holds."""
    command = [sys.executable, "-m", "app", "dead-letters", "redrive", "--yes"]
    partitions = [TopicPartition(scene.names.events, number) for number in range(N_PARTITIONS)]
    async with reader(scene.settings.kafka) as log:
        n_before = sum((await log.end_offsets(partitions)).values())
        n_sent = n_before
        process = await asyncio.create_subprocess_exec(*command, env=environment(scene.settings), cwd=ROOT, **QUIET)
        while process.returncode is None and n_sent < n_before + n_more:
            n_sent = sum((await log.end_offsets(partitions)).values())
        process.kill()
        return await process.wait(), sum((await log.end_offsets(partitions)).values())


def test_killed_runs_send_everything_once(scene: Scene) -> None:
    """Whenever SIGKILL comes, the runs together have sent each letter exactly once."""
    scene.create(N_PARTITIONS)
    n = 12_000
    put(scene, [("wrong_partition", event(f"u{number % 50}", value=number)) for number in range(n)])

    killed = [asyncio.run(killed_behind(scene, n_more)) for n_more in (1, 1500)]
    last = result(scene)

    numbers = [orjson.loads(value)["value"] for value in in_the_log(scene)]
    assert ([code for code, _ in killed], sorted(numbers)) == ([-9, -9], list(range(n)))
    assert 0 < killed[0][1] < n, "the first was killed in the middle"
    assert last["redriven"] == n - killed[1][1]


def test_the_second_of_two_at_once_takes_over(scene: Scene) -> None:
    """The first one's next mark is refused, and it says why."""
    scene.create(1)

    async def both() -> None:
        async with Journal(scene.settings.kafka, scene.names) as first:
            await first.begin({0: 0}, [])
            async with Journal(scene.settings.kafka, scene.names) as second:
                with pytest.raises(ServiceError, match="another `freshet dead-letters redrive` was started meanwhile"):
                    await first.end()
                await second.end()

    asyncio.run(both())


def test_workers_fold_what_is_sent(scene: Scene) -> None:
    """Events on the wrong partition and under a wrong key reach their users, and the saved state is that of the log."""
    scene.create(N_PARTITIONS)
    worker = scene.worker()
    users = [f"u{n}" for n in range(20)]
    places = {user: partition_of(user.encode(), N_PARTITIONS, "murmur2") for user in users}
    scene.send([Sent(user.encode(), event(user), (places[user] + 1) % N_PARTITIONS) for user in users])
    scene.send([Sent(b"somebody", event(user)) for user in users])
    scene.assert_exact()
    assert all(len(state.users) == 0 for state in scene.stored(N_PARTITIONS))

    assert result(scene)["by_reason"] == {"wrong_key": 20, "wrong_partition": 20}
    scene.n_sent += 40

    states = scene.assert_exact()
    assert {user for state in states for user in state.users} == set(users)
    assert sum(state.metrics.counts.get("events", 0) for state in states) == 40
    scene.assert_lists(states)
    assert worker.exit_code is None


def test_what_a_reset_folded_is_not_sent_again(scene: Scene) -> None:
    """Producers place by crc32, the setting is mended and the log folded anew: no event counts twice by a redrive."""
    scene.create(N_PARTITIONS)
    worker = scene.worker()
    users = [f"u{n}" for n in range(20)]
    scene.send([Sent(user.encode(), event(user), partition_of(user.encode(), N_PARTITIONS, "crc32")) for user in users])
    scene.send([Sent(b"u0", event("u0", "stare"), partition_of(b"u0", N_PARTITIONS, "crc32"))])
    scene.assert_exact()
    worker.stop()

    scene.configure(partitioner="crc32")
    outcome = freshet("reset", "--yes", settings=scene.settings)
    assert outcome.code == 0, outcome.err
    for worker in scene.workers:
        worker.progress = {}
    scene.worker()
    scene.await_durable()

    last = result(scene)
    assert (last["redriven"], last["stay_by_reason"]) == (0, {"unknown_event_type": 1})
    assert last["refolded"] > 0
    states = scene.assert_exact()
    assert sum(state.metrics.counts.get("events", 0) for state in states) == 20


def test_a_reset_tells_what_was_redriven_before_it(scene: Scene) -> None:
    """Original and copy would both be folded: the reset says how many there are, before it asks."""
    scene.create(N_PARTITIONS)
    put(scene, LETTERS)
    n_sent = result(scene)["redriven"]

    asked = freshet("reset", settings=scene.settings)

    assert n_sent > 0
    assert f"{n_sent} of them were dead letters and have been re-driven" in asked.err
    assert (asked.code, "say --yes to reset" in asked.err) == (2, True)
