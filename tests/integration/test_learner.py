"""The one learner of factors on real Kafka: what is handed over, learned, saved, followed, and dropped by a reset."""

import time

import orjson
import pytest

from app.store.clients import for_threads
from models.ids import hash64
from models.partitioner import partition_of
from models.source_names import HISTORY
from tables.learner import LearnerState
from tables.lessons import decode_lessons
from tables.list_settings import LOG_SHARES
from tests.command import freshet
from tests.flow import events
from tests.scene import Scene, Sent

N = 2


def stored_learner(scene: Scene) -> LearnerState:
    """The learner as it was saved."""
    learner = LearnerState(scene.settings.fold)
    for record in scene.read(scene.names.factors):
        learner.apply(record.key, record.value)
    learner.finish_load()
    return learner


def folded_learner(scene: Scene) -> LearnerState:
    """What the topic of lessons, as it lies in Kafka, must have become."""
    learner = LearnerState(scene.settings.fold)
    for record in scene.read(scene.names.interactions):
        learner.take(record.value)
    return learner


def await_learner(scene: Scene) -> LearnerState:
    """Return the learner, folded inline, when it is what was saved."""

    def different() -> dict[str, object]:
        ours, theirs = folded_learner(scene), stored_learner(scene)
        return {} if ours.digest() == theirs.digest() else {"lessons": (theirs.n_lessons, ours.n_lessons)}

    scene.await_none(different, 30.0, "learners (stored, expected)")
    return folded_learner(scene)


def view(user_id: str, item_id: str, at_ms: int) -> Sent:
    """One event as it is sent."""
    event = {"user_id": user_id, "item_id": item_id, "event_type": "view", "timestamp": at_ms}
    return Sent(user_id.encode(), orjson.dumps(event))


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_what_one_partition_is_taught_another_one_uses(scene: Scene) -> None:
    """Two workers: a list of the second one's user proposes, by factors, what the first one's users took next."""
    scene.create(N)
    scene.configure(source_weights={HISTORY: 1.0}, blend=LOG_SHARES)
    first, second = scene.worker(), scene.worker()
    second.wait_for(lambda worker: len(worker.of_kind("ready")[-1]["partitions"]) == 1, 60.0, "a partition")
    first.wait_for(lambda worker: len(worker.of_kind("ready")[-1]["partitions"]) == 1, 60.0, "a partition")
    users = {number: [f"u{n}" for n in range(400) if partition_of(b"u%d" % n, N) == number] for number in range(N)}
    now_ms = int(time.time() * 1000) - 10_000
    scene.send(
        [
            view(user_id, item_id, now_ms + n)
            for n, user_id in enumerate(users[1][:100])
            for item_id in (("a", "b") if n % 2 else ("c", "d"))
        ]
    )
    scene.await_durable()
    assert await_learner(scene).n_lessons == 100
    reader, keys = for_threads(scene.settings.redis, timeout_s=5.0), scene.keys
    proposed: dict[str, object] = {}
    for n, user_id in enumerate(users[0][:50]):  # a list is made at an event, and rows come when they come
        scene.send([view(user_id, "a", now_ms + 1000 + n)])
        time.sleep(0.4)
        (stored,) = reader.run([("GET", keys.user_list(user_id))])
        proposed = next(iter(orjson.loads(stored)["items"]), {}) if stored else {}
        if proposed.get("source") == HISTORY:
            break
    reader.close()

    assert (proposed["id"], proposed["because"]) == ("b", ["a"]), scene.logs()
    assert any(worker.progress.get("learner", {}).get("lessons") for worker in (first, second))


def test_lessons_are_those_of_the_log_and_reset_drops_them(scene: Scene) -> None:
    """Each partition's lessons lie there once, in order; after a reset all is learned anew from the log alone."""
    scene.create(N)
    worker = scene.worker()
    scene.send(events(5, 2000))
    states = scene.await_durable()
    learner = await_learner(scene)
    expected = [decode_lessons(value) for state in states for value in state.take_lessons()]
    assert learner.n_lessons == sum(len(each.offsets) for each in expected) > 300
    found = [decode_lessons(record.value) for record in scene.read(scene.names.interactions)]
    for number in range(N):
        offsets = [offset for each in found if each.partition == number for offset in each.offsets.tolist()]
        wanted = [offset for each in expected if each.partition == number for offset in each.offsets.tolist()]
        assert offsets == wanted
    assert worker.stop() == 0
    n_before = len(found)

    outcome = freshet("reset", "--yes", "--json", settings=scene.settings)
    assert outcome.code == 0, outcome.err
    emptied = stored_learner(scene)
    assert (len(emptied.rows), emptied.n_lessons, emptied.taken) == (0, 0, {})
    assert emptied.position >= n_before

    for each in scene.workers:
        each.progress = {}
    scene.worker()
    scene.await_durable()

    def different() -> dict[str, object]:
        anew = LearnerState(scene.settings.fold)
        for record in scene.read(scene.names.interactions):
            if record.offset >= emptied.position:
                anew.take(record.value)
        stored = stored_learner(scene)
        wrong = anew.n_lessons != learner.n_lessons or anew.digest() != stored.digest()
        return {"lessons": (stored.n_lessons, anew.n_lessons, learner.n_lessons)} if wrong else {}

    scene.await_none(different, 30.0, "learners (stored, expected, before)")
    assert set(stored_learner(scene).rows.slots) <= {hash64(item) for state in states for item in state.items.slots}


def test_a_single_partition_hands_nothing_over(scene: Scene) -> None:
    """It learns the factors itself, in the order of its log."""
    scene.create(1)
    worker = scene.worker()
    scene.send(events(6, 500))
    scene.assert_exact()

    assert scene.read(scene.names.interactions) == scene.read(scene.names.factors) == []
    assert "learner" not in worker.progress
