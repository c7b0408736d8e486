"""Ctrl-C and SIGTERM: a last checkpoint, and a quick end."""

import signal
import time

import pytest

from app.worker.process import WorkerProcess
from tests.exits import wait_exit
from tests.flow import Flow, events
from tests.scene import PATIENCE_S, Scene

WITHIN_S = 5.0


def end(worker: WorkerProcess, number: int) -> float:
    """Send a signal; returns the seconds until the worker has ended, which must be without an error."""
    since = time.monotonic()
    worker.signal(number)
    code = wait_exit(worker, PATIENCE_S)
    took_s = time.monotonic() - since
    assert code == 0, worker.log_path.read_text()
    return took_s


def assert_last_checkpoint(scene: Scene, worker: WorkerProcess) -> None:
    """The markers stand where the worker's fold stood at its end, and the state is that of its log up to there."""
    markers = scene.markers()
    (revoked,) = worker.of_kind("revoked")
    assert {int(number): offset for number, offset in revoked["partitions"].items()} == {
        number: marker.next_offset for number, marker in markers.items()
    }
    for number, offset in worker.progress["partitions"].items():
        assert markers[int(number)].next_offset >= offset


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_idle_worker_ends_at_once(scene: Scene, number: signal.Signals) -> None:
    """Told to stop, an idle worker ends within 5 s with code 0, and all of the log is in its checkpoint."""
    scene.create(4)
    scene.configure(checkpoint_s=60.0)
    scene.send(events(1, 1000))
    worker = scene.worker()
    worker.wait_for(lambda one: one.folded == 1000, PATIENCE_S, "all events folded")

    took_s = end(worker, number)

    assert took_s < WITHIN_S
    assert sum(marker.next_offset for marker in scene.markers().values()) == 1000
    assert_last_checkpoint(scene, worker)


def test_loaded_worker_ends_within_seconds(scene: Scene) -> None:
    """Ctrl-C under load: exit code 0 within 5 s, the last checkpoint is where the fold stood; its successor goes on."""
    scene.create(4)
    scene.configure(checkpoint_s=60.0)
    worker = scene.worker()
    with Flow(scene, 2000) as flow:
        flow.wait(4000)
        took_s = end(worker, signal.SIGINT)
    assert took_s < WITHIN_S
    assert_last_checkpoint(scene, worker)
    assert sum(marker.next_offset for marker in scene.markers().values()) > 3000

    scene.configure(checkpoint_s=0.2)
    scene.worker()
    scene.assert_lists(scene.assert_exact())


def test_worker_without_redis_ends_as_quickly(scene: Scene) -> None:
    """With lists that cannot be written Ctrl-C takes no longer, and the last checkpoint says that they are missing."""
    scene.create(1)
    scene.send(events(1, 500))
    reachable = scene.settings.redis_url
    scene.configure(redis_url="redis://127.0.0.1:1/0")
    worker = scene.worker()
    worker.wait_for(lambda one: one.folded == 500, PATIENCE_S, "all events folded")

    assert end(worker, signal.SIGINT) < WITHIN_S

    marker = scene.markers()[0]
    assert marker.next_offset == 500
    assert marker.published_offset < 100
    scene.configure(redis_url=reachable)
    scene.worker()
    scene.assert_lists(scene.assert_exact())
