"""A worker and the commands on a Redis Cluster of three real nodes."""

import time
from collections.abc import Iterator

import orjson
import pytest

from app.client import Reader
from tables.keys import Keys
from tests.command import freshet
from tests.flow import events
from tests.redis_cluster import LocalCluster
from tests.scene import PATIENCE_S, Scene


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """Three primaries that go on without each other."""
    found = LocalCluster(tmp_path_factory.mktemp("cluster"))
    found.start()
    yield found
    found.stop()


def await_view(scene: Scene, users: set[str]) -> str:
    """Return an item with neighbours when trends, similarities, and all users' features are there."""
    deadline = time.monotonic() + PATIENCE_S
    with Reader(scene.settings.redis, scene.settings.namespace) as reader:
        while True:
            similar = [item for item, _ in reader.trending("7d") if reader.similar(item) and reader.item_features(item)]
            if similar and all(reader.user_features(user_id) for user_id in users):
                return similar[0]
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_worker_and_commands_on_a_cluster(scene: Scene, cluster: LocalCluster) -> None:
    """All that a worker writes is there; a dead node stops its own users alone; back and empty, it is filled again."""
    scene.configure(redis_url=cluster.url)
    scene.create(2)
    worker = scene.worker()
    scene.send(events(5, 400, n_users=60))
    states = scene.assert_exact()
    scene.assert_lists(states)
    users = {user_id for state in states for user_id in state.users}
    item = await_view(scene, users)

    for command in (("recs", "u1"), ("similar", item), ("trending", "7d")):
        outcome = freshet(*command, "--json", settings=scene.settings)
        assert (outcome.code, outcome.err) == (0, ""), command
        assert orjson.loads(outcome.out)
    doctor = orjson.loads(freshet("doctor", "--json", settings=scene.settings).out)
    assert [
        each for each in doctor["findings"] if each["check"].startswith("Redis") and each["status"] == "wrong"
    ] == []

    lost, keys = cluster.nodes[1], Keys(scene.settings.namespace)
    lost.kill()
    scene.send(events(6, 400, n_users=60))
    states = scene.assert_exact()
    users |= {user_id for state in states for user_id in state.users}
    theirs = {user_id for user_id in users if cluster.holder(keys.user_list(user_id)) is lost}
    assert 0 < len(theirs) < len(users)
    scene.await_none(
        lambda: {user_id: why for user_id, why in scene.wrong_lists(states).items() if user_id not in theirs},
        PATIENCE_S,
        "lists of the other nodes",
    )
    found = orjson.loads(freshet("doctor", "--json", settings=scene.settings).out)["findings"]
    assert [each for each in found if each["status"] == "wrong" and f":{lost.port} cannot" in each["found"]]
    assert worker.progress["unpublished"] > 0

    lost.start()
    scene.assert_lists(states, PATIENCE_S)
    await_view(scene, users)
    assert worker.exit_code is None
    assert worker.stop() == 0
    reset = freshet("reset", "--yes", "--json", settings=scene.settings)
    assert (reset.code, orjson.loads(reset.out)["epoch"]) == (0, 2)
