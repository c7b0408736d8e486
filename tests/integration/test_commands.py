"""The reading and operator commands on real Kafka and Redis, with a worker at work."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from app.kafka import partition_counts, topic_limits
from app.worker.process import environment
from models.partitioner import partition_of
from tables.list_encoding import encode_list
from tests.command import Outcome, freshet
from tests.scene import PATIENCE_S, Scene, Sent, send_all

ROOT = Path(__file__).parents[2]


def event(user_id: str, item_id: str, **more: object) -> bytes:
    """One event of now."""
    fields = {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": int(time.time() * 1000)}
    return orjson.dumps({**fields, **more})


def crowd() -> bytes:
    """Lines of 30 users: item `hub` goes with `left` and `right`, and everybody but `u0` has seen all three."""
    pairs = [(f"u{n}", item) for n in range(30) for item in ("hub", "left", "right") if n or item == "hub"]
    return b"\n".join(event(*pair) for pair in pairs)


def until(ask: Callable[[], Outcome], good: Callable[[Outcome], Any]) -> Outcome:
    """Ask until the answer is good."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        outcome = ask()
        if outcome.code == 0 and good(outcome):
            return outcome
        assert time.monotonic() < deadline, outcome
        time.sleep(0.2)


def json_of(outcome: Outcome) -> Any:
    """What was printed, as JSON."""
    return orjson.loads(outcome.out)


def test_from_produced_lines_to_lists(scene: Scene) -> None:
    """Events go in through `produce`; `recs`, `similar` and `trending` show what came of them, with titles."""
    scene.create(2)
    scene.worker()
    entry = orjson.dumps({"title": "The [bold]Left\x1b[31m One"})
    asyncio.run(send_all(scene.settings.kafka, scene.names.catalogue, [Sent(b"left", entry)]))

    def run(*arguments: str) -> Outcome:
        return freshet(*arguments, settings=scene.settings)

    sent = freshet("produce", "--json", settings=scene.settings, stdin=crowd())
    assert (sent.code, json_of(sent)) == (0, {"sent": 88, "bad": 0})

    found = until(lambda: run("recs", "u0", "--json"), lambda o: json_of(o)["titles"])
    listed = json_of(found)
    assert [item["id"] for item in listed["items"][:2]] == ["left", "right"]
    assert listed["items"][0]["because"] == ["hub"]
    assert listed["titles"]["left"] == "The [bold]Left\x1b[31m One"
    assert listed["key"] == scene.keys.user_list("u0")
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        stored = orjson.loads(client.get(scene.keys.user_list("u0")) or b"")
    assert stored.items() <= listed.items()
    text = run("recs", "u0", "-k", "1")
    assert text.out.splitlines()[1].split("\t")[1:3] == ["left", r"The [bold]Left\x1b[31m One"]
    assert "because you looked at hub" in text.out
    assert f"the user's own list ({scene.keys.user_list('u0')}), version 000001-" in text.out
    assert len(text.out.splitlines()) == 3

    until(lambda: run("recs", "stranger"), lambda o: "the default list" in o.out)
    similar = until(lambda: run("similar", "hub", "--json"), lambda o: len(json_of(o)) == 2)
    assert [neighbour["id"] for neighbour in json_of(similar)] == ["left", "right"]
    trending = until(lambda: run("trending", "1d", "-k", "1"), lambda o: "hub" in o.out)
    assert len(trending.out.splitlines()) == 2
    nothing = run("trending", "--category", "none", "--json")
    assert (nothing.code, json_of(nothing)) == (0, [])

    healthy = until(lambda: run("doctor", "--json"), lambda o: json_of(o)["ok"])
    lag = [finding["found"] for finding in json_of(healthy)["findings"] if finding["check"] == "lag"]
    assert lag == ["records in no checkpoint, by partition: 0: 0, 1: 0"]


def test_an_empty_list_is_told_and_found_behind_a_key_prefix(scene: Scene) -> None:
    """A list that holds nothing says so; it is looked for where the settings have workers write it."""
    scene.configure(key_prefix="team-a:")
    payload = encode_list(
        epoch=1,
        offset=3,
        user_id="u1",
        namespace=scene.settings.namespace,
        generated_at_ms=int(time.time() * 1000),
        source=("user_events", 0, 3),
        model="m",
        variant="v",
        items=[],
    )
    with redis.Redis.from_url(scene.settings.redis_url) as server:
        server.set(scene.settings.keys.user_list("u1"), payload, ex=60)

    found = freshet("recs", "u1", settings=scene.settings)

    assert found.code == 0, found.err
    assert "The list is empty" in found.out
    assert f"the user's own list ({scene.settings.keys.user_list('u1')})" in found.out


def test_nothing_there_yet(scene: Scene) -> None:
    """Before anything was published each command ends with 1 and says what to do; the doctor names the topics."""
    calls = ("recs u", "similar i", "dead-letters count", "reset")
    answers = {call: freshet(*call.split(), settings=scene.settings) for call in calls}

    assert {call: outcome.code for call, outcome in answers.items()} == dict.fromkeys(answers, 1)
    assert "freshet worker" in answers["recs u"].err
    assert "nothing to reset" in answers["reset"].err
    told = freshet("doctor", settings=scene.settings)
    assert told.code == 1
    assert f"not there: {scene.names.events}" in told.out
    assert asyncio.run(partition_counts(scene.settings.kafka, [scene.names.events])) == {}


def test_bad_lines_are_reported_and_left_out(scene: Scene) -> None:
    """Good lines go out all the same, the exit code is 1; with --no-check every line goes out as it is."""
    scene.create(1)
    lines = [event("u1", "i1"), b"not json", b"", event("u1", "i1", event_type="glance"), event("u2", "i2")]

    checked = freshet("produce", settings=scene.settings, stdin=b"\n".join(lines))
    unchecked = freshet("produce", "--no-check", settings=scene.settings, stdin=b"\n".join(lines))

    assert (checked.code, checked.out) == (1, "2 events sent, 2 bad lines left out\n")
    assert [line.split(": ")[:2] for line in checked.err.splitlines()] == [
        ["line 2", "not_json"],
        ["line 4", "unknown_event_type"],
    ]
    assert (unchecked.code, unchecked.out) == (0, "4 events sent\n")
    log = [(record.key, record.value) for record in scene.read(scene.names.events)]
    assert log == [
        (b"u1", lines[0]), (b"u2", lines[4]), (b"u1", lines[0]), (None, lines[1]), (b"u1", lines[3]), (b"u2", lines[4]),
    ]  # fmt: skip


@pytest.mark.parametrize("partitioner", ["murmur2", "crc32"])
def test_users_are_placed_as_the_settings_say(scene: Scene, partitioner: str) -> None:
    """Every user lies where a worker with the same settings expects it."""
    scene.create(3)
    scene.configure(partitioner=partitioner)

    freshet("produce", settings=scene.settings, stdin=b"\n".join(event(f"u{n}", "i") for n in range(60)))

    placed = {record.key: record.partition for record in scene.read(scene.names.events)}
    assert placed == {b"u%d" % n: partition_of(b"u%d" % n, 3, partitioner) for n in range(60)}


def heed_interrupts() -> None:
    """Tests that run in the background of a shell inherit that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_line_goes_out_while_the_source_is_open(scene: Scene) -> None:
    """What a program writes into the pipe is in the log at once; Ctrl-C ends with 130 and the count."""
    scene.create(1)
    command = [sys.executable, "-m", "app", "produce"]
    variables = {**environment(scene.settings), "PYTHONPATH": str(ROOT), "PATH": ""}
    with subprocess.Popen(
        command,
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scene.folder,
        preexec_fn=heed_interrupts,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(event("u1", "i1") + b"\n")
        process.stdin.flush()
        deadline = time.monotonic() + PATIENCE_S
        while not scene.read(scene.names.events):
            assert time.monotonic() < deadline
        process.send_signal(2)
        process.wait(PATIENCE_S)  # with its input still open, or the end of that could come first
        out, err = process.communicate()

    assert (process.returncode, out) == (130, b"1 events sent\n"), err
    assert b"Traceback" not in err


def test_rate_is_kept(scene: Scene) -> None:
    """Twenty events at 20 a second take most of a second."""
    scene.create(1)
    started = time.monotonic()

    outcome = freshet("produce", "--rate", "20", settings=scene.settings, stdin=b"\n".join([event("u", "i")] * 20))

    assert outcome.out == "20 events sent\n"
    assert time.monotonic() - started > 0.9


def test_doctor_sees_what_is_wrong(scene: Scene) -> None:
    """Fresh dead letters of a foreign partitioner, and nobody at work, are wrong; advice says what to do."""
    scene.create(2)
    users = [f"u{n}" for n in range(99) if partition_of(b"u%d" % n, 2, "crc32") != partition_of(b"u%d" % n, 2)]
    worker = scene.worker()
    scene.send([Sent(user.encode(), event(user, "i1"), partition_of(user.encode(), 2, "crc32")) for user in users])
    until(
        lambda: freshet("dead-letters", "count", settings=scene.settings),
        lambda o: f"wrong_partition\t{len(users)}\n" in o.out,
    )
    worker.stop()

    outcome = freshet("doctor", "--json", settings=scene.settings)

    wrong = {found["check"]: found for found in json_of(outcome)["findings"] if found["status"] == "wrong"}
    assert (outcome.code, sorted(wrong)) == (1, ["partitioner", "workers"])
    assert f"all {len(users)} keys fit crc32: librdkafka" in wrong["partitioner"]["found"]
    assert "murmur2_random" in wrong["partitioner"]["advice"]
    assert asyncio.run(topic_limits(scene.settings.kafka, [scene.names.events]))  # the doctor has left it alone
