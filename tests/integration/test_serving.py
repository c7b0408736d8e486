"""What a worker's word `serving` means, on real Kafka and Redis."""

import time
from pathlib import Path

import pytest

from app.local.redis import RedisServer
from tests.scene import Scene, Sent


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_serving_means_counted_and_shown(scene: Scene, tmp_path: Path) -> None:
    """A worker without Redis is ready, and folds, but serves only once lists go out; then all that came is shown."""
    server = RedisServer(tmp_path / "redis")
    scene.create(2)
    scene.configure(redis_url=server.url)
    worker = scene.worker()
    now_ms = int(time.time() * 1000)
    event = '{"user_id": "u%d", "item_id": "i", "event_type": "view", "timestamp": %d}'
    scene.send([Sent(b"u%d" % number, (event % (number, now_ms)).encode()) for number in range(20)])
    states = scene.await_durable()
    assert worker.serving is None

    server.start()
    try:
        said = worker.wait_serving()
        assert (said["partitions"], said["n_partitions"]) == ([0, 1], 2)
        assert said["generation"] == worker.of_kind("ready")[-1]["generation"]
        scene.assert_lists(states)
        assert worker.stop() == 0
    finally:
        server.stop()
    assert worker.serving is None
