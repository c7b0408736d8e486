"""What `freshet up` keeps running."""

import httpx2
import pytest

from app.local.dashboard import TOKEN
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


def test_the_dashboard_shows_the_session_s_worker(scene: Scene) -> None:
    """Its address opens it; it reads that worker's metrics; it ends with the session, and its token stays."""
    scene.create(1)
    settings = scene.settings
    with LocalSession(scene.folder, settings, broker=settings.broker, redis_url=settings.redis_url) as session:
        opened_by = session.start_dashboard()
        assert opened_by is not None and session.watch() is None
        with httpx2.Client(follow_redirects=True) as http:

            def wrong() -> dict[str, str]:
                shown = http.get(opened_by).text
                return {} if "1 worker, Kafka and Redis answer" in shown else {"page": shown[-3000:]}

            scene.await_none(wrong, 40.0, "pages")
    path = scene.folder / TOKEN
    assert opened_by.endswith(path.read_text().strip()) and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(opened_by)
