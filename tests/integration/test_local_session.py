"""What `freshet up` keeps running."""

from app.local.session import LocalSession
from tests.command import freshet
from tests.scene import Scene


def test_without_a_worker_there_is_room_for_a_reset(scene: Scene) -> None:
    """`--no-worker` starts none, not even later, so `freshet reset` finds nobody in the group."""
    scene.create(1)
    settings = scene.settings
    broker, redis_url = settings.broker, settings.redis_url
    with LocalSession(scene.folder, settings, broker=broker, redis_url=redis_url, with_worker=False) as session:
        assert (session.worker, session.watch(), session.n_restarts) == (None, None, 0)
        outcome = freshet("reset", "--yes", settings=session.settings)
    assert outcome.code == 0, outcome.err
