"""One worker takes over from another that is paused, loads slowly, or cannot save."""

import signal
import time

from tests.exits import wait_exit
from tests.faults.launcher import SLOW_LOAD_S
from tests.faults.test_exact_state import holds
from tests.flow import Flow, events
from tests.scene import PATIENCE_S, Scene


def test_paused_worker_ends_when_it_comes_back(scene: Scene) -> None:
    """Stopped for twice the session timeout while another one takes over, then continued: it exits non-zero."""
    scene.create(2)
    paused = scene.worker()
    with Flow(scene, 1000) as flow:
        flow.wait(1000)
        paused.signal(signal.SIGSTOP)
        since = time.monotonic()
        successor = scene.worker()
        successor.wait_for(lambda worker: holds(worker, 2), PATIENCE_S, "all partitions")
        flow.wait(1000)
        time.sleep(max(0.0, 2 * scene.settings.session_timeout_s - (time.monotonic() - since)))
        paused.signal(signal.SIGCONT)
        assert wait_exit(paused, PATIENCE_S) == 1, paused.log_path.read_text()
        flow.wait(500)

    scene.assert_lists(scene.assert_exact())
    assert successor.exit_code is None


def test_paused_worker_without_work_ends_as_well(scene: Scene) -> None:
    """The same without events, and without anything unsaved: it does not go on as if nothing had been."""
    scene.create(2)
    scene.send(events(1, 500))
    paused = scene.worker()
    states = scene.await_durable()
    paused.signal(signal.SIGSTOP)
    time.sleep(2 * scene.settings.session_timeout_s)
    paused.signal(signal.SIGCONT)

    assert wait_exit(paused, PATIENCE_S) == 1
    assert "stood still for" in paused.log_path.read_text().splitlines()[-1]
    scene.worker()
    scene.assert_lists(states)


def test_load_slower_than_a_request_gets_ready(scene: Scene) -> None:
    """Loading takes longer than a request to the broker may: the worker gets ready all the same and folds all."""
    scene.configure(request_timeout_s=1.0)  # the session's timeout and a second, 4 s, at least
    scene.create(1)
    scene.send(events(1, 1000))
    assert scene.settings.session_timeout_s + 1 < SLOW_LOAD_S

    since = time.monotonic()
    worker = scene.worker("slow_load")

    assert time.monotonic() - since > SLOW_LOAD_S
    scene.assert_lists(scene.assert_exact())
    assert worker.exit_code is None


def test_load_that_takes_too_long_ends_the_worker(scene: Scene) -> None:
    """Loading takes longer than allowed: exit code 1, naming the partitions and the setting."""
    scene.configure(load_timeout_s=2.0)
    scene.create(1)
    worker = scene.worker("slow_load", ready=False)

    assert wait_exit(worker, PATIENCE_S) == 1

    message = worker.log_path.read_text().splitlines()[-1]
    assert "partitions [0] were not loaded within 2 s" in message
    assert "FRESHET_LOAD_TIMEOUT_S" in message


def test_slow_load_is_given_up_at_a_rebalance(scene: Scene) -> None:
    """Partitions move while they are loaded: the load is given up, the next owners load, nothing is lost or doubled."""
    scene.create(4)
    scene.send(events(1, 2000))
    slow = scene.worker("slow_load", ready=False)
    slow.wait_for(lambda worker: bool(worker.of_kind("started")), PATIENCE_S, "its start")
    time.sleep(1.5)
    scene.worker()
    slow.wait_ready()
    scene.send(events(2, 1000))

    scene.assert_lists(scene.assert_exact())


def test_failing_checkpoint_at_revocation_ends_the_process(scene: Scene) -> None:
    """An error while partitions are given back: the process is gone within 10 s with code 1, the state is right."""
    scene.create(4)
    scene.configure(checkpoint_s=60.0)
    failing = scene.worker("failing_revocation")
    with Flow(scene, 1000) as flow:
        flow.wait(1000)
        scene.configure(checkpoint_s=0.2)
        successor = scene.worker(ready=False)
        failing.wait_for(
            lambda worker: bool(worker.of_kind("fatal")) or worker.exit_code is not None, PATIENCE_S, "its error"
        )
        assert wait_exit(failing, 10) == 1
        successor.wait_for(lambda worker: holds(worker, 4), PATIENCE_S, "all partitions")
        flow.wait(500)

    assert "injected: no checkpoint at revocation" in failing.log_path.read_text()
    scene.assert_lists(scene.assert_exact())


def test_checkpoint_too_slow_for_a_revocation_is_skipped(scene: Scene) -> None:
    """A checkpoint slower than a revocation waits is given up: both workers go on saving, or one ends; all is right."""
    scene.create(2)
    slow = scene.worker("slow_write")
    with Flow(scene, 500) as flow:
        flow.wait(500)
        scene.gate.touch()
        flow.wait(500)
        scene.worker(ready=False)
        time.sleep(8)
        scene.gate.unlink()
        flow.wait(500)

    scene.assert_lists(scene.assert_exact())
    assert slow.exit_code in (None, 1)
