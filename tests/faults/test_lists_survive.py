"""Lists in Redis after crashes between the fold and the publication."""

import redis

from tests.flow import Flow, events
from tests.scene import Scene


def test_lists_not_yet_published_come_after_a_crash(scene: Scene) -> None:
    """Killed with the state saved and the lists not written: the successor writes them, without a new event."""
    scene.create(4)
    scene.gate.touch()  # no list goes out
    worker = scene.worker("no_lists")
    scene.send(events(1, 3000))
    states = scene.await_durable()
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        assert not list(client.scan_iter(scene.keys.user_list("*")))
    assert all(marker.published_offset < 200 for marker in scene.markers().values())
    worker.kill()

    scene.worker()

    scene.assert_lists(states)


def test_some_lists_published_before_a_crash(scene: Scene) -> None:
    """Killed while a part of the lists is written: afterwards every list is of its user's last event."""
    scene.create(4)
    worker = scene.worker("no_lists")
    with Flow(scene, 1500) as flow:
        flow.wait(1500)
        scene.gate.touch()
        flow.wait(1500)
    states = scene.await_durable()
    assert scene.wrong_lists(states)
    worker.kill()

    scene.worker()

    scene.assert_lists(states)


def test_redis_emptied_between_two_workers(scene: Scene) -> None:
    """Lists lost while no worker runs: the next one makes them all anew, without a new event."""
    scene.create(4)
    scene.send(events(1, 3000))
    worker = scene.worker()
    states = scene.assert_exact()
    scene.assert_lists(states)
    assert worker.stop() == 0
    with redis.Redis.from_url(scene.settings.redis_url) as client:
        client.delete(*client.scan_iter(f"{scene.names.namespace}:*"))

    scene.worker()

    scene.assert_lists(states)
