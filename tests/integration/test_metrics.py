"""What a real worker exports, on real Kafka and Redis."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.local.redis import RedisServer
from app.metrics.described import exported_names
from tests.scene import PATIENCE_S, Scene, Sent

EVENT = '{"user_id": "u%d", "item_id": "i%d", "event_type": "view", "timestamp": %d, "event_id": "e%d"}'
N, N_TWICE, N_BAD = 40, 7, 3

Scraped = dict[str, dict[tuple[str, ...], float]]


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def _scrape(url: str) -> Scraped:
    """Samples by name and values of labels, these by their names."""
    found: Scraped = {}
    for family in text_string_to_metric_families(_get(f"{url}/metrics")[1].decode()):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def _is_all_done(now: Scraped) -> bool:
    """Nothing is to be folded, to go out or to be saved."""
    unsaved = any(now["freshet_checkpoint_age_seconds"].values())
    return not (any(now["freshet_lag_records"].values()) or now["freshet_lists_unpublished"][()] or unsaved)


def _scrape_until(url: str, is_so: Callable[[Scraped], bool]) -> Scraped:
    """Scrape until it is so, or the time is over: then as it is, for the test to say what is wrong."""
    due = time.monotonic() + PATIENCE_S
    while not is_so(found := _scrape(url)) and time.monotonic() < due:
        time.sleep(0.1)
    return found


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_metrics_are_what_was_sent(scene: Scene, tmp_path: Path) -> None:
    """A worker without Redis is not ready and says why; with it, it is, and its metrics count what was sent."""
    server = RedisServer(tmp_path / "redis")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    scene.create(2)
    scene.configure(redis_url=server.url, metrics_listen_port=port, evaluate_fraction=1.0)
    url = f"http://127.0.0.1:{port}"
    worker = scene.worker()
    now_ms = int(time.time() * 1000)
    events = [EVENT % (at % 10, at % 6, now_ms + at, at) for at in range(N)]
    users = [b"u%d" % (at % 10) for at in range(N)]
    sent = [Sent(user, event.encode()) for user, event in zip(users, events, strict=True)]
    scene.send([*sent, *sent[:N_TWICE], *[Sent(b"u1", b"no JSON")] * N_BAD])
    states = scene.await_durable()

    before = _scrape_until(
        url, lambda now: now["freshet_redis_errors_total"][("probe",)] > 0 and b"Redis" in _get(f"{url}/readyz")[1]
    )
    assert _get(f"{url}/healthz") == (200, b'{"healthy":true}')
    status, body = _get(f"{url}/readyz")
    assert status == 503 and "Redis" in orjson.loads(body)["reason"]
    assert before["freshet_ready"] == {(): 0} and before["freshet_redis_up"] == {(): 0}
    assert before["freshet_redis_errors_total"][("probe",)] >= 1

    server.start()
    try:
        worker.wait_serving()
        scene.assert_lists(states)
        assert _get(f"{url}/readyz") == (200, b'{"ready":true}')
        found = _scrape_until(url, _is_all_done)
    finally:
        server.stop()

    assert sum(found["freshet_events_total"].values()) == N
    assert {kind: n for (kind,), n in found["freshet_events_by_type_total"].items() if n} == {"view": N}
    assert found["freshet_chunk_records_sum"] == {(): N + N_TWICE + N_BAD}
    assert sum(found["freshet_duplicates_total"].values()) == N_TWICE
    assert {key: n for key, n in found["freshet_dead_letters_total"].items() if n} == {("not_json",): N_BAD}
    assert sum(found["freshet_users"].values()) == 10
    assert {number: offset for (number,), offset in found["freshet_next_offset"].items()} == {
        str(state.number): state.next_offset for state in states
    }
    assert set(found["freshet_lag_records"].values()) == {0} == set(found["freshet_checkpoint_age_seconds"].values())
    assert found["freshet_lists_published_total"][()] >= 10
    assert found["freshet_stage_seconds_bucket"][("+Inf", "fold")] == N + N_TWICE + N_BAD
    assert found["freshet_checkpoints_total"][()] >= 1 and found["freshet_checkpoint_bytes_total"][()] > 0
    assert found["freshet_ready"] == {(): 1}
    ours = {name for name in found if name.startswith("freshet_")}
    absent = {name for name in exported_names() if "intake" in name or name == "freshet_live_hit_rate"}
    assert ours - exported_names() == set() and exported_names() - ours <= absent
    assert found["process_resident_memory_bytes"][()] > 0

    second = scene.worker(ready=False)  # the port is taken
    due = time.monotonic() + PATIENCE_S
    while second.exit_code is None and time.monotonic() < due:
        time.sleep(0.1)
    assert second.exit_code == 1
    said = second.log_path.read_text()
    assert f"FRESHET_METRICS_LISTEN_PORT {port}" in said and "Traceback" not in said
    assert worker.stop() == 0
