"""A dead letter that is on its way holds every later checkpoint back."""

import time

from tests.faults.launcher import HELD
from tests.flow import events
from tests.scene import PATIENCE_S, Scene, Sent


def test_no_checkpoint_passes_an_unacknowledged_dead_letter(scene: Scene) -> None:
    """While its acknowledgement is held back the marker stays below the record; then all goes on, nothing is lost."""
    scene.create(1)
    worker = scene.worker("held_dead_letter")
    scene.send(events(1, 400))
    scene.await_durable()
    scene.send([Sent(b"u", HELD), *events(2, 600)])
    worker.wait_for(lambda one: one.folded == 1001, PATIENCE_S, "all records folded")
    time.sleep(1.0)

    assert scene.markers()[0].next_offset <= 400

    scene.gate.touch()
    scene.assert_lists(scene.assert_exact())
    letters = scene.read(scene.names.dead_letters)
    assert [letter.value for letter in letters].count(HELD) == 1


def test_a_worker_killed_before_the_acknowledgement_loses_no_dead_letter(scene: Scene) -> None:
    """Killed while a dead letter is held back: its successor folds the record again and sends the letter."""
    scene.create(1)
    worker = scene.worker("held_dead_letter")
    scene.send([Sent(b"u", HELD), *events(2, 600)])
    worker.wait_for(lambda one: one.folded == 601, PATIENCE_S, "all records folded")
    worker.kill()
    assert HELD not in [letter.value for letter in scene.read(scene.names.dead_letters)]

    scene.worker()

    scene.assert_lists(scene.assert_exact())
    assert HELD in [letter.value for letter in scene.read(scene.names.dead_letters)]


def test_thousands_of_dead_letters_at_once(scene: Scene) -> None:
    """A flood of bad records, more than may be on their way: each becomes one dead letter, and the worker goes on."""
    scene.create(1)
    scene.send(Sent(b"u", b"bad %d" % number) for number in range(6000))
    worker = scene.worker()

    scene.assert_exact()

    letters = scene.read(scene.names.dead_letters)
    assert sorted(letter.value for letter in letters) == sorted(b"bad %d" % number for number in range(6000))
    assert worker.exit_code is None
