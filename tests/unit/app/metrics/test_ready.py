"""What probes are told."""

import orjson

from tests.unit.app.metrics.stage import Measured


def _reason(worker: Measured) -> str:
    answer = worker.answers.readyz()
    body = orjson.loads(answer.body)
    assert answer.status == 503 and body["ready"] is False
    assert worker.scrape()["freshet_ready"] == {(): 0}
    return str(body["reason"])


def test_ready() -> None:
    """Loaded, shown, caught up: 200."""
    worker = Measured()
    assert worker.answers.readyz()[::2] == (200, b'{"ready":true}')
    assert worker.answers.healthz()[::2] == (200, b'{"healthy":true}')
    assert worker.scrape()["freshet_ready"] == {(): 1}


def test_a_backlog() -> None:
    """As many records as allowed may wait, one more and it is not ready: with both numbers and the setting."""
    worker = Measured()
    worker.stage.partition.end_offset = 70
    assert worker.answers.readyz().status == 200
    worker.stage.partition.end_offset = 71
    assert _reason(worker) == "11 records wait to be folded, FRESHET_METRICS_READY_LAG allows 10"


def test_before_partitions_are_there() -> None:
    """First the group has given none, then their state is being read."""
    worker = Measured()
    worker.ownership.ready, worker.ownership.owned = False, {}
    assert _reason(worker) == "the consumer group has given no partitions yet"
    worker.ownership.assigned = {2, 1}
    assert _reason(worker) == "the saved state of partitions 1, 2 is being read"


def test_one_that_was_given_nothing_is_ready() -> None:
    """More workers than partitions: it waits for one of them to go, even while Redis is away."""
    worker = Measured()
    worker.ownership.owned, worker.features.redis_error = {}, "Redis is away."
    assert worker.answers.readyz().status == 200


def test_redis_is_away() -> None:
    """Lists do not go out: not ready, and healthy."""
    worker = Measured()
    worker.features.redis_error = "Redis is away."
    assert "Redis is away." in _reason(worker)
    assert worker.answers.healthz().status == 200
