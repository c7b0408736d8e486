"""A worker that folds no more, or never begins to, and whose libraries do not say so."""

import time

from tests.exits import wait_exit
from tests.flow import events
from tests.scene import PATIENCE_S, Scene


def test_records_that_are_not_handed_out(scene: Scene) -> None:
    """The fetching stands still, with all folded so far: the broker's own ends show that records wait; exit code 1."""
    scene.create(2)
    scene.configure(standstill_s=3.0)
    scene.send(events(1, 300))
    worker = scene.worker("silent_fetch")
    worker.wait_for(lambda one: one.folded == 300, PATIENCE_S, "all events folded")
    scene.gate.touch()
    time.sleep(2.0)  # whoever asks already is answered
    scene.send(events(2, 40))

    assert wait_exit(worker, PATIENCE_S) == 1

    assert "records wait and none was folded for" in worker.log_path.read_text()
    scene.gate.unlink()
    scene.worker()
    scene.assert_lists(scene.assert_exact())


def test_a_group_that_cannot_be_joined(scene: Scene) -> None:
    """The client keeps the broker's refusal to itself: the worker ends, and says what it was."""
    scene.create(1)
    worker = scene.worker("refused_by_the_group", ready=False)

    assert wait_exit(worker, PATIENCE_S) == 1

    said = worker.log_path.read_text()
    assert f"cannot join group {scene.names.group}" in said and "InvalidSessionTimeout" in said


def test_a_topic_that_one_broker_does_not_know_yet(scene: Scene) -> None:
    """The group gives its partitions to nobody: the worker asks again at once, not in half a minute."""
    scene.create(2)
    scene.send(events(1, 50))
    worker = scene.worker("unknown_topic", ready=False)
    nobody = "No partition metadata for topic"
    worker.wait_for(lambda one: nobody in one.log_path.read_text(), 40, "a group that has no partitions")
    assert not worker.of_kind("ready")

    scene.gate.touch()

    worker.wait_for(lambda one: one.folded == 50, PATIENCE_S, "all events folded")
