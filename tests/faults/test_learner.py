"""The learner after kills of whoever runs it: bit for bit what its topic teaches, each lesson of the log once."""

import pytest

from app.worker.process import WorkerProcess
from tables.learner import LearnerState
from tables.lessons import decode_lessons
from tests.flow import Flow
from tests.scene import PATIENCE_S, Scene

N_KILLS = 4


def learner_of(scene: Scene, *, stored: bool) -> LearnerState:
    """The learner as it was saved, or as its topic makes it."""
    learner = LearnerState(scene.settings.fold)
    for record in scene.read(scene.names.factors if stored else scene.names.interactions):
        if stored:
            learner.apply(record.key, record.value)
        else:
            learner.take(record.value)
    learner.finish_load()
    return learner


def learns(worker: WorkerProcess) -> bool:
    """Whether the worker has the learner, and it has saved something."""
    return bool(worker.progress.get("learner", {}).get("lessons"))


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_kills_of_the_learners_owner_change_nothing(scene: Scene) -> None:
    """`kill -9` again and again under load, with another worker that takes over: no lesson is lost or learned twice."""
    scene.create(4)
    workers = [scene.worker(), scene.worker()]
    with Flow(scene, 1500) as flow:
        for _ in range(N_KILLS):
            flow.wait(2000)
            scene.await_none(lambda: {} if any(map(learns, workers)) else {"learner": None}, PATIENCE_S, "owners")
            owner = next(filter(learns, workers))
            owner.kill()
            workers.remove(owner)
            workers.append(scene.worker())
            for worker in workers:
                worker.progress = {}
        flow.wait(1500)
    states = scene.assert_exact()

    def different() -> dict[str, object]:
        ours, theirs = learner_of(scene, stored=False), learner_of(scene, stored=True)
        return {} if ours.digest() == theirs.digest() else {"lessons": (theirs.n_lessons, ours.n_lessons)}

    scene.await_none(different, 30.0, "learners (stored, expected)")
    expected = [decode_lessons(value) for state in states for value in state.take_lessons()]
    learner = learner_of(scene, stored=True)
    assert learner.n_lessons == sum(len(each.offsets) for each in expected)
    assert learner.taken == {each.partition: int(each.offsets[-1]) + 1 for each in expected}
    scene.assert_lists(states)
