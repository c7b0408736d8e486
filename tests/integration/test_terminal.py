"""`freshet tail` and `freshet top` on real Kafka and Redis, with a worker at work."""

import socket
import subprocess
import sys
import time

import orjson

from app.worker.process import child_environment, environment
from tests.command import freshet
from tests.scene import PATIENCE_S, Scene, Sent


def sent(user_id: str, item_id: str, event_type: str = "view") -> Sent:
    """One event of now."""
    event = {"user_id": user_id, "item_id": item_id, "event_type": event_type, "timestamp": int(time.time() * 1000)}
    return Sent(user_id.encode(), orjson.dumps(event))


def test_tail_shows_what_was_there_and_what_comes(scene: Scene) -> None:
    """Records from before by --back; those that come while it runs; and it ends after as many as were asked for."""
    scene.create(2)
    scene.send([sent("ann", "i1"), sent("bob", "i2", "click"), Sent(b"ann", b"no JSON")])

    shown = freshet("tail", "--back", "10", "-n", "3", "--json", settings=scene.settings)
    assert shown.code == 0, shown.err
    found = [orjson.loads(line) for line in shown.out.splitlines()]
    assert {(each["event"] or {}).get("user_id") for each in found} == {"ann", "bob", None}
    bad = freshet("tail", "--back", "10", "-n", "1", "--bad", settings=scene.settings)
    assert bad.out.split("\t")[2:4] == ["no event", "not_json"]
    masked = freshet("tail", "--back", "10", "-n", "1", "--type", "click", "--mask", settings=scene.settings)
    assert "i2" in masked.out and "bob" not in masked.out

    command = [sys.executable, "-m", "app", "tail", "-n", "1", "--user", "eve", "--json"]
    with subprocess.Popen(command, env=child_environment(environment(scene.settings)), stdout=subprocess.PIPE) as live:
        deadline = time.monotonic() + PATIENCE_S
        while live.poll() is None and time.monotonic() < deadline:  # it begins with what comes after its start
            scene.send([sent("ann", "i1"), sent("eve", "i9")])
            time.sleep(0.5)
        live.kill()
        out, _ = live.communicate()
    assert orjson.loads(out)["event"]["item_id"] == "i9"


def test_top_says_what_a_worker_does(scene: Scene) -> None:
    """All is folded and saved in the end, by the one worker, whose metrics say how long lists took."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    scene.create(2)
    scene.configure(metrics_listen_port=port, evaluate_fraction=1.0)
    scene.worker()
    scene.send([sent(f"u{n}", f"i{n % 3}") for n in range(30)])
    scene.await_durable()

    shown = freshet("top", "--once", "--every", "0.5", "--json", settings=scene.settings)
    assert shown.code == 0, shown.err
    found = orjson.loads(shown.out)
    assert (found["n_workers"], found["state"], found["lag"], found["errors"]) == (1, "Stable", 0, [])
    assert [each["worker"] for each in found["partitions"]] == [f"127.0.0.1:{port}"] * 2
    assert sum(each["end"] for each in found["partitions"]) >= 30

    told = freshet("top", "--once", "--every", "0.5", "--metrics", "127.0.0.1:1", settings=scene.settings)
    assert told.code == 0 and "FRESHET_METRICS_LISTEN_PORT" in told.err
    assert "folded\t-" in told.out.splitlines()


def test_without_a_topic_both_say_what_makes_it(scene: Scene) -> None:
    """One line, and exit code 1."""
    for command in (("tail", "-n", "1"), ("top", "--once")):
        outcome = freshet(*command, settings=scene.settings)
        assert (outcome.code, outcome.out) == (1, "")
        assert "`freshet topics`" in outcome.err and len(outcome.err.splitlines()) == 1
