"""Blends in real workers: lists by scores, and learned weights that come back with their history."""

from app.worker.process import WorkerProcess
from tables.list_model import ListModels
from tests.flow import events
from tests.integration.test_list_revisions import await_revision, lists
from tests.integration.test_worker import event
from tests.scene import PATIENCE_S, Scene, Sent


def n_learned(worker: WorkerProcess) -> int:
    """Outcomes that are in the weights, as the worker said last."""
    return int(worker.progress.get("blend", {}).get("n", 0))


def test_lists_by_scores_and_then_by_weights_that_are_learned(scene: Scene) -> None:
    """Every list is made anew by the other blend; what it learns from goes on after a restart where it stopped."""
    scene.create(1)
    scene.configure(blend="scores", evaluate_fraction=1.0)
    worker = scene.worker()
    scene.send(events(5, 600, n_users=40))
    scene.assert_lists(scene.assert_exact())
    by_scores = lists(scene)
    shapes = ListModels(scene.settings.fold, scene.settings.lists, scene.settings.list_size)
    assert shapes.lists.blend == "scores"
    assert {found.model for found in by_scores.values()} == {shapes.blend}
    assert {"co_occurrence", "history"} <= {item.source for found in by_scores.values() for item in found.items}
    assert worker.stop() == 0
    assert worker.progress["blend"] == {}
    scene.age_sentinel()

    scene.configure(blend="learned")
    worker = scene.worker()
    learned = await_revision(scene, 1, len(by_scores))
    taken = [(found.user_id or "", found.items[0].item_id) for found in learned.values()]
    scene.send(Sent(user_id.encode(), event(user_id, item_id)) for user_id, item_id in taken)
    scene.assert_exact()
    worker.wait_for(lambda one: n_learned(one) >= 5, PATIENCE_S, "outcomes")
    assert worker.stop() == 0
    before = worker.progress["blend"]["history"]
    scene.age_sentinel()

    worker = scene.worker()
    worker.wait_for(lambda one: n_learned(one) >= before["n"][-1], PATIENCE_S, "weights of before")

    after, n = worker.progress["blend"]["history"], len(before["n"])
    assert before["every"] == after["every"] == 1
    assert before["n"] == after["n"][:n] == [*range(n)]
    assert before["weights"] == {
        name: {row: past[:n] for row, past in rows.items()} for name, rows in after["weights"].items()
    }
    assert len({past[-1] for rows in before["weights"].values() for past in rows.values()}) > 2, "some were learned"
