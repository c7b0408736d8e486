"""`freshet items` and `freshet users` on real Kafka and Redis."""

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis

from app.worker.process import environment
from tests.command import Outcome, freshet
from tests.scene import PATIENCE_S, Scene

ROOT = Path(__file__).parents[2]
SHOP = """sku,name,groups,brand,off
left,"The Left, One",light|home,B,no
right,Right,home,,
{odd},Odd,,,
far,Far,,,perhaps
"""
FLAGS = [
    f"--column={flag}"
    for flag in ("item_id=sku", "title=name", "categories=groups", "attributes.brand=brand", "hidden=off")
]


def events(*pairs: tuple[str, str]) -> bytes:
    """Views of now, as lines."""
    fields = {"event_type": "view", "timestamp": int(time.time() * 1000)}
    return b"\n".join(orjson.dumps({"user_id": user, "item_id": item, **fields}) for user, item in pairs)


def json_of(outcome: Outcome) -> Any:
    """What was printed, as JSON; None where the command failed."""
    return orjson.loads(outcome.out) if outcome.code == 0 else None


def test_a_table_becomes_titles_and_a_deletion_hides(scene: Scene, tmp_path: Path) -> None:
    """Rows arrive in lists and features, bad ones are told and left out; a deleted item is in no list any more."""

    def run(*arguments: str, stdin: bytes = b"") -> Outcome:
        return freshet(*arguments, settings=scene.settings, stdin=stdin)

    def until(what: str, *arguments: str, good: Any) -> Any:
        found: list[Any] = []

        def ask() -> dict[str, object]:
            found.append(json_of(run(*arguments, "--json")))
            return {} if found[-1] is not None and good(found[-1]) else {what: found[-1]}

        scene.await_none(ask, PATIENCE_S, what)
        return found[-1]

    scene.configure(list_fields=("title", "attributes.brand"))
    scene.create(1)
    scene.worker()
    run(
        "produce",
        stdin=events(("u0", "hub"), *[(f"u{n}", id_) for n in range(1, 9) for id_ in ("hub", "left", "right")]),
    )
    shop = tmp_path / "shop.csv"
    shop.write_text(SHOP)

    sent = run("items", str(shop), *FLAGS, "--json")

    assert (sent.code, orjson.loads(sent.out)) == (1, {"sent": 2, "deleted": 0, "bad": 2})
    assert [line.split(": ")[:2] for line in sent.err.splitlines()] == [
        ["row 3", "out_of_range"],
        ["row 4", "bad_type"],
    ]
    listed = until("titles", "recs", "stranger", good=lambda found: len(found["titles"]) == 2)
    assert listed["titles"] == {"left": "The Left, One", "right": "Right"}
    fields = {"left": {"title": "The Left, One", "attributes.brand": "B"}, "right": {"title": "Right"}}

    def has_fields(found: Any) -> bool:
        return {item["id"]: item["fields"] for item in found["items"] if "fields" in item} == fields

    assert until("fields", "recs", "stranger", good=has_fields)["n_own"] == 0
    with redis.Redis.from_url(scene.settings.redis_url, decode_responses=True) as client:
        scene.await_none(
            lambda: {} if client.hget(scene.keys.item_features("left"), "attributes") else {"left": "no attributes"},
            PATIENCE_S,
            "features",
        )
        features = client.hgetall(scene.keys.item_features("left"))
    assert {name: features[name] for name in ("title", "categories", "attributes")} == {
        "title": "The Left, One", "categories": '["light","home"]', "attributes": '{"brand":"B"}',
    }  # fmt: skip

    gone = run("items", "--delete", "left")

    assert (gone.code, gone.out) == (0, "0 items sent, 1 deleted\n")
    until("default list", "recs", "stranger", good=lambda found: [i["id"] for i in found["items"]] == ["hub", "right"])
    until("similar", "similar", "hub", good=lambda found: [each["id"] for each in found] == ["right"])
    run("produce", stdin=events(("u0", "new")))
    del fields["left"]
    own = until("list", "recs", "u0", good=lambda found: [item["id"] for item in found["items"]] == ["right"])
    assert has_fields(own) and own["n_own"] == 1


@pytest.mark.parametrize("by", ["ids", "file", "marks"])
def test_profiles_arrive_in_their_topic_and_go(scene: Scene, tmp_path: Path, by: str) -> None:
    """Keyed by user_id, in the plain form; deleted by ids, by a file of them, or by rows that are marked so."""
    scene.create(1)
    lines = [{"user_id": 7, "age": "31", "email": "x@y"}, {"user_id": "ü", "preferences": {"genres": ["a"]}}]

    sent = freshet("users", settings=scene.settings, stdin=b"\n".join(map(orjson.dumps, lines)))
    path = tmp_path / "gone"
    path.write_bytes(b"7\n" if by == "file" else b'{"user_id": "7", "deleted": true}\n')
    how = {"ids": ["--delete", "7"], "file": ["--delete-from", str(path)], "marks": [str(path)]}[by]
    gone = freshet("users", *how, settings=scene.settings)

    assert (sent.code, sent.out) == (0, "2 users sent\n")
    assert (gone.code, gone.out) == (0, "0 users sent, 1 deleted\n")
    found = [(record.key, record.value and orjson.loads(record.value)) for record in scene.read(scene.names.profiles)]
    assert found == [(b"7", {"age": 31}), ("ü".encode(), {"preferences": {"genres": ["a"]}}), (b"7", None)]


def test_a_row_goes_out_while_the_source_is_open(scene: Scene) -> None:
    """What a program writes into the pipe is in the topic at once; Ctrl-C ends with 130 and the counts."""
    scene.create(1)
    variables = {**environment(scene.settings), "PYTHONPATH": str(ROOT), "PATH": ""}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "items", "--json"],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=scene.folder,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored in the background of a shell
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b'{"item_id": "a"}\n')
        process.stdin.flush()
        scene.await_none(lambda: {} if scene.read(scene.names.catalogue) else {"a": "not there"}, PATIENCE_S, "entries")
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)  # with its input still open
        out, err = process.communicate()

    assert (process.returncode, orjson.loads(out)) == (130, {"sent": 1, "deleted": 0, "bad": 0}), err
    assert not err.strip()
