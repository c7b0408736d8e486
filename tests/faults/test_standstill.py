"""A worker that folds no more, or never begins to, and whose libraries do not say so."""

import time

from tests.flow import events
from tests.scene import Scene


def test_records_that_are_not_handed_out(scene: Scene) -> None:
    """The fetching stands still, with all folded so far: the broker's own ends show that records wait; exit code 1."""
    scene.create(2)
    scene.configure(standstill_s=3.0)
    scene.send(events(1, 300))
    worker = scene.worker("silent_fetch")
    worker.wait_for(lambda one: one.folded == 300, 20, "all events folded")
    scene.gate.touch()
    time.sleep(2.0)  # whoever asks already is answered
    scene.send(events(2, 40))

    assert worker.wait_exit(20) == 1

    assert "records wait and none was folded for" in worker.log_path.read_text()
    scene.gate.unlink()
    scene.worker()
    scene.assert_lists(scene.assert_exact())


def test_a_group_that_cannot_be_joined(scene: Scene) -> None:
    """The client keeps the broker's refusal to itself: the worker ends, and says what it was."""
    scene.create(1)
    worker = scene.worker("refused_by_the_group", ready=False)

    assert worker.wait_exit(20) == 1

    said = worker.log_path.read_text()
    assert f"cannot join group {scene.names.group}" in said and "InvalidSessionTimeout" in said
