"""Lists made anew without an event, by real workers: what a restart with other settings of lists makes of them."""

import redis

from tables.list_json import RecommendationList, decode_list
from tests.flow import events
from tests.integration.test_worker import event, publish
from tests.scene import Scene, Sent

RANKS = {"blend": "ranks", "source_weights": {"co_occurrence": 1.0}}
OTHERS = {"blend": "ranks", "source_weights": {"history": 1.0}}


def lists(scene: Scene) -> dict[str, RecommendationList]:
    """Every user's list in Redis, by its key."""
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        keys = sorted(client.scan_iter(scene.keys.user_list("*"), count=1000))
        return {key.decode(): decode_list(payload) for key, payload in zip(keys, client.mget(keys), strict=True)}


def await_revision(scene: Scene, revision: int, n: int) -> dict[str, RecommendationList]:
    """All lists, as soon as each has this revision."""

    def others() -> dict[str, str]:
        found = {key: each.version for key, each in lists(scene).items() if each.revision != revision}
        return found if len(lists(scene)) == n else {"n": "is another", **found}

    scene.await_none(others, 20, f"lists of revision {revision}")
    return lists(scene)


def test_restart_with_other_weights_makes_all_lists_anew(scene: Scene) -> None:
    """Users without a new event get a list of the next revision; a restart without a change makes none anew."""
    scene.create(2)
    scene.configure(**RANKS)
    worker = scene.worker()
    scene.send(events(3, 1500))
    states = scene.assert_exact()
    scene.assert_lists(states)
    before = lists(scene)
    assert {found.revision for found in before.values()} == {0}
    assert worker.stop() == 0
    scene.age_sentinel()

    scene.configure(**OTHERS)
    worker = scene.worker()
    anew = await_revision(scene, 1, len(before))

    assert "lists are made anew: they were made by blend-" in worker.log_path.read_text()
    for key, found in anew.items():
        old = before[key]
        assert (found.epoch, found.offset, found.source) == (old.epoch, old.offset, old.source)
        assert found.version > old.version and found.list_id != old.list_id and found.model != old.model
    assert "co_occurrence" in {item.source for found in before.values() for item in found.items}
    assert "co_occurrence" not in {item.source for found in anew.values() for item in found.items}
    scene.assert_lists(states)
    assert publish(scene, scene.keys.user_list("u1"), anew[scene.keys.user_list("u1")].offset) == (0, 1)
    assert worker.stop() == 0

    worker = scene.worker()
    worker.wait_serving()
    scene.send([Sent(b"u1", event("u1", "i1"))])
    states = scene.assert_exact()
    scene.assert_lists(states)

    after = lists(scene)
    changed = {key for key, found in after.items() if found != anew[key]}
    assert changed == {scene.keys.user_list("u1")}
    assert all(after[key].revision == 1 and after[key].version > anew[key].version for key in changed)
    assert {marker.revision for marker in scene.markers().values()} == {1}


def test_emptied_redis_gets_lists_of_the_next_revision(scene: Scene) -> None:
    """Made anew while the worker runs on: another list of the same event has an id of its own."""
    scene.create(1)
    scene.worker()
    scene.send(events(4, 400, n_users=40))
    states = scene.assert_exact()
    scene.assert_lists(states)
    before = lists(scene)
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        client.delete(*client.scan_iter(f"{scene.names.namespace}:*"))

    anew = await_revision(scene, 1, len(before))

    assert all(found.list_id != before[key].list_id for key, found in anew.items())
    scene.assert_lists(states)
