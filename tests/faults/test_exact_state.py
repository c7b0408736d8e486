"""State after kills, joins and leaves: bit for bit what the log folds to."""

import time

import pytest

from app.worker.process import WorkerProcess
from tests.flow import Flow, events
from tests.scene import PATIENCE_S, Scene


def holds(worker: WorkerProcess, n_partitions: int) -> bool:
    """Whether the worker's newest generation gave it so many partitions."""
    ready = worker.of_kind("ready")
    return bool(ready) and len(ready[-1]["partitions"]) == n_partitions


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_one_worker_folds_all(scene: Scene) -> None:
    """All records sent before and after the start are folded, saved and published."""
    scene.create(4)
    scene.send(events(1, 3000))
    worker = scene.worker()
    scene.send(events(2, 3000))

    scene.assert_lists(scene.assert_exact())

    assert worker.stop() == 0


def test_killed_worker_leaves_no_trace(scene: Scene) -> None:
    """SIGKILL of one of two workers under load: the other one takes over, nothing is lost or doubled."""
    scene.create(4)
    first, second = scene.worker(), scene.worker()
    second.wait_for(lambda worker: holds(worker, 2), PATIENCE_S, "two partitions")
    with Flow(scene, 1500) as flow:
        flow.wait(2000)
        first.kill()
        second.wait_for(lambda worker: holds(worker, 4), PATIENCE_S, "all partitions")
        flow.wait(1500)

    scene.assert_lists(scene.assert_exact())


def test_join_and_leave_are_exact(scene: Scene) -> None:
    """A second worker joins under load and leaves again: partitions move twice, nothing is lost or doubled."""
    scene.create(4)
    first = scene.worker()
    with Flow(scene, 1500) as flow:
        flow.wait(1500)
        second = scene.worker()
        second.wait_for(lambda worker: holds(worker, 2), PATIENCE_S, "two partitions")
        flow.wait(1500)
        assert second.stop() == 0
        first.wait_for(lambda worker: holds(worker, 4), PATIENCE_S, "all partitions")
        flow.wait(1000)

    scene.assert_lists(scene.assert_exact())


def test_rebalance_storm_is_exact(scene: Scene) -> None:
    """Workers join and leave every 2 s for 20 s: all is exact, and the survivor is ready within 15 s after."""
    scene.create(12)
    survivor = scene.worker()
    with Flow(scene, 1000) as flow:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            guest = scene.worker(ready=False)
            guest.wait_for(lambda worker: bool(worker.of_kind("started")), PATIENCE_S, "its start")
            time.sleep(2)
            assert guest.stop() == 0, scene.logs()
        since = time.monotonic()
        survivor.wait_for(lambda worker: holds(worker, 12), 15, "all partitions")
        assert time.monotonic() - since < 15
        flow.wait(500)

    scene.assert_lists(scene.assert_exact())
    assert survivor.exit_code is None
