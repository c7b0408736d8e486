"""Lists in Redis after crashes between the fold and the publication."""

import time
from collections.abc import Callable

import pytest
import redis

from tables.list_json import decode_list
from tests.flow import Flow, events
from tests.scene import PATIENCE_S, Scene


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


def test_killed_while_lists_are_made_anew_for_other_settings(scene: Scene) -> None:
    """The successor makes them all: each of the revision that was saved before the first went out, or a later one."""
    scene.create(2)
    scene.configure(blend="ranks", source_weights={"co_occurrence": 1.0})
    scene.send(events(1, 3000))
    worker = scene.worker()
    states = scene.assert_exact()
    scene.assert_lists(states)
    assert worker.stop() == 0
    scene.age_sentinel()

    def revisions() -> set[int]:
        with redis.Redis.from_url(scene.settings.redis_url) as client:
            return {decode_list(client.get(key)).revision for key in client.scan_iter(scene.keys.user_list("*"))}

    scene.configure(source_weights={"history": 1.0}, rebuild_per_s=1)
    worker = scene.worker()
    scene.await_none(lambda: {} if revisions() == {0, 1} else {"revisions": revisions()}, PATIENCE_S, "lists")
    worker.kill()
    assert revisions() == {0, 1}

    worker = scene.worker()

    scene.await_none(lambda: {} if revisions() == {1} else {"revisions": revisions()}, PATIENCE_S, "lists")
    scene.assert_lists(states)
    scene.await_none(
        lambda: {n: m for n, m in scene.markers().items() if m.published_offset < 0}, PATIENCE_S, "markers"
    )
    assert worker.progress["refused"] == 0


def there(client: "redis.Redis", pattern: str) -> int:
    """How many keys Redis has."""
    return sum(1 for _ in client.scan_iter(pattern, count=1000))


@pytest.mark.parametrize("is_down", [True, False])
def test_redis_emptied_when_a_worker_dies(scene: Scene, is_down: bool) -> None:
    """Noticed by another worker, or by the one that dies at once: whoever takes over makes all lists and features anew.

    Whoever notices marks it in Redis, so that those who come later would see nothing missing.
    """
    scene.create(4)
    scene.configure(checkpoint_s=5.0)
    first, second = scene.worker(), scene.worker()
    scene.send(events(1, 2000))
    states = scene.await_durable(40)
    scene.assert_lists(states)
    n_users = sum(len(state.users) for state in states)
    with redis.Redis.from_url(scene.settings.redis_url) as client:

        def await_all(pattern: str) -> None:
            def missing() -> dict[str, int]:
                n = n_users - there(client, pattern)
                return {"missing": n} if n else {}

            scene.await_none(missing, 20, pattern)

        await_all(scene.keys.user_features("*"))
        if is_down:
            first.kill()
        else:
            first.stop()
        client.delete(*client.scan_iter(f"{scene.names.namespace}:*"))
        await_log(second.log_path.read_text, "found empty")
        if not is_down:
            second.kill()
        scene.worker()

        await_all(scene.keys.user_list("*"))
        await_all(scene.keys.user_features("*"))
    scene.assert_lists(states)


def await_log(read: Callable[[], str], text: str) -> None:
    """Return as soon as a log has a text."""
    deadline = time.monotonic() + 15.0
    while text not in read():
        assert time.monotonic() < deadline, f"{text!r} is not in {read()}"
        time.sleep(0.002)
