"""`freshet replay` on real Kafka and Redis: in a namespace of its own whose worker is killed, and to everybody's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from app.local.stack import LocalStack
from app.replay import OrderedLog, log_sha256, open_log
from app.worker.process import environment
from tests.command import freshet
from tests.logs import made_log
from tests.scene import Scene
from tests.stack import left_behind

ROOT = Path(__file__).parents[2]
N_EVENTS = 4000
SPEED = "2000000x"  # some seconds in all: the kill comes in between
MOVIES = b'movieId,title,genres\n1,Heat (1995),Action|Crime\n2,"Alien, The (1979)",Horror\n'
RATINGS = b"userId,movieId,rating,timestamp\n7,1,4.5,964982710\n7,2,3.0,964982704\n8,1,2.0,964982703\n"


def made_file(folder: Path) -> Path:
    """A log as it comes in the field, in seven stretches one behind the other; one line in twelve is malformed."""
    path = folder / "events.jsonl"
    lines = [record.value or b"" for record in made_log(11, N_EVENTS, 200, 300)]
    path.write_bytes(b"\n".join(line for first in range(7) for line in lines[first::7]))
    return path


@pytest.mark.timeout(120)  # two workers start, on whatever computer this is
def test_isolated_replay_survives_kill_9_exactly(shared: LocalStack, scene: Scene) -> None:
    """A worker killed in the middle of the log changes nothing: the digest is that of the fold in process.

    Nothing of the replay's namespace is left in Kafka or Redis.
    """
    scene.configure(evaluate_fraction=1.0)
    path = made_file(scene.folder)
    command = [sys.executable, "-m", "app", "replay", str(path), "--isolated", "--partitions", "1", "--json"]
    variables = {**os.environ, **environment(scene.settings), "PYTHONPATH": str(ROOT)}
    told = []
    with subprocess.Popen(
        [*command, "--speed", SPEED], env=variables, stdout=subprocess.PIPE, cwd=scene.folder
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            told.append(orjson.loads(line))
            if told[-1].get("event") == "ready" and not any(each["event"] == "died" for each in told):
                time.sleep(0.7)  # so that something is folded, and saved
                os.kill(told[-1]["pid"], signal.SIGKILL)

    inline = freshet("replay", str(path), "--inline", "--json", settings=scene.settings)

    *life, isolated = told
    expected = orjson.loads(inline.out)
    (died,) = [line for line in life if line["event"] == "died"]
    assert died["exit_code"] == -signal.SIGKILL
    assert [line["event"] for line in life].count("ready") == 2
    assert process.returncode == 0
    different = {name for name in expected if isolated[name] != expected[name]}
    assert different <= {"seconds"}
    assert expected["prequential"]["n"] > 100
    assert expected["dead_letters"] > 100
    assert left_behind(shared, "replay") == []


def test_replay_to_kafka_sends_all_and_warns_of_an_old_log(scene: Scene) -> None:
    """Events lie in a partition in the order of time, titles in the catalogue; a second time the log is old news."""
    scene.create(2)
    folder = scene.folder / "set"
    folder.mkdir()
    (folder / "movies.csv").write_bytes(MOVIES)
    (folder / "ratings.csv").write_bytes(RATINGS)
    records = list(OrderedLog(open_log(folder, dataset=None, columns={}, event_type=None)))

    first = freshet("replay", str(folder), "--json", settings=scene.settings)
    sent = [(record.key, record.value) for record in scene.read(scene.names.events)]
    second = freshet("replay", str(folder), settings=scene.settings)

    assert (first.code, first.err) == (0, "")
    assert orjson.loads(first.out) == {
        "sent": 3,
        "catalogue": 2,
        "topic": scene.names.events,
        "log_sha256": log_sha256(records),
    }
    by_user = {key: [each for each in sent if each[0] == key] for key in (b"7", b"8")}
    assert by_user == {key: [(key, each.value) for each in records if each.key == key] for key in by_user}
    catalogue = {record.key: orjson.loads(record.value) for record in scene.read(scene.names.catalogue)}
    assert {key: entry["title"] for key, entry in catalogue.items()} == {b"1": "Heat (1995)", b"2": "Alien, The (1979)"}
    assert second.code == 0
    assert f"{scene.names.events} holds 3 events already, and this log is older" in second.err
    assert len(scene.read(scene.names.events)) == 6
