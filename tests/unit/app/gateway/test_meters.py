"""What the gateway counts, over a Kafka and a Redis of the test's own."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.gateway.access import new_key
from app.gateway.around import Answered
from app.gateway.create import create_app
from app.gateway.described import METRICS
from app.gateway.meters import OTHER, MeteredSender, Meters
from app.gateway.sender import Outcome, Position, Record
from app.gateway.view import View
from app.metrics.described import exported_names
from app.settings import Settings
from models.errors import InvalidEvent, ServiceError
from models.events import REASONS
from tables.keys import Keys
from tests.gateway import HERE, SentRecords, StoredKeys, list_bytes

LISTS = {"recs:default": list_bytes(None, 1, ["a"]), "recs:user:u1": list_bytes("u1", 1, ["b"])}
VIEWED = {"user_id": "u1", "item_id": "i1", "event_type": "view", "timestamp": int(time.time() * 1000)}

Samples = dict[str, dict[tuple[str, ...], float]]


class Counting:
    """A gateway that counts."""

    def __init__(self, **changes: Any) -> None:
        self.registry = CollectorRegistry()
        self.meters = Meters(self.registry)
        self.sent, self.redis = SentRecords(), StoredKeys(LISTS)
        view = View(self.redis, Keys(), self.meters)
        app = create_app(
            Settings(**changes), sender=self.sent, view=view, on_answer=lambda answered: None, meters=self.meters
        )
        self.client = TestClient(app, base_url="http://127.0.0.1", client=HERE, raise_server_exceptions=False)

    def scrape(self) -> Samples:
        """Samples by name and values of labels, these by their names."""
        found: Samples = {}
        for family in text_string_to_metric_families(generate_latest(self.registry).decode()):
            for sample in family.samples:
                labels = tuple(sample.labels[name] for name in sorted(sample.labels))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found


def test_everything_that_is_described_is_exported() -> None:
    """And nothing else; every reason and rung is there from the start, at 0."""
    one = Counting()
    found = one.scrape()
    assert found["freshet_gateway_events_rejected_total"] == {(reason,): 0 for reason in REASONS}
    assert found["freshet_gateway_lists_total"] == {(rung,): 0 for rung in ("user", "segment", "default", "none")}
    one.client.get("/v1/trending")
    ours = {name for name in one.scrape() if not name.endswith("_created")}
    assert ours == exported_names(METRICS)


def test_requests_are_counted_by_template() -> None:
    """Whoever is asked for; one that no route is for, or that is refused before, has none."""
    one = Counting(gateway_rate_per_s=0.001, gateway_burst=4)
    for path in ("/v1/users/u1/features", "/v1/users/u2/features", "/v1/users/u1/recommendations", "/nothing", "/late"):
        one.client.get(path)
    found = one.scrape()
    assert found["freshet_gateway_requests_total"] == {
        ("GET", "/v1/users/{user_id}/features", "404"): 2,
        ("GET", "/v1/users/{user_id}/recommendations", "200"): 1,
        ("GET", "-", "404"): 1,
        ("GET", "-", "429"): 1,
    }
    assert found["freshet_gateway_request_seconds_count"][("/v1/users/{user_id}/features",)] == 2


def test_methods_of_strangers_make_no_series() -> None:
    """What is no method of HTTP is one label for all, however many there are."""
    one = Counting()
    for method in ("BREW", "WHEN"):
        one.meters.answered(Answered(method, "-", 405, 0.1, "r", None))
    assert one.scrape()["freshet_gateway_requests_total"] == {(OTHER, "-", "405"): 2}


def test_events_are_counted_by_what_became_of_them() -> None:
    """Accepted, rejected with a reason, unacknowledged; of a batch each for itself."""
    one = Counting()
    one.client.post("/v1/events", json=[VIEWED, {**VIEWED, "item_id": ""}, VIEWED])
    one.sent.silent_from = 3
    one.client.post("/v1/events", json=[VIEWED, VIEWED])
    one.sent.down = "away"
    one.client.post("/v1/events", json=[VIEWED, {}])
    found = one.scrape()
    assert found["freshet_gateway_events_accepted_total"] == {(): 3}
    rejected = {reason: n for (reason,), n in found["freshet_gateway_events_rejected_total"].items() if n}
    assert rejected == {"out_of_range": 1, "missing_field": 1}
    assert found["freshet_gateway_events_unacknowledged_total"] == {(): 2}
    assert found["freshet_gateway_kafka_ack_seconds_count"] == {(): 1}
    assert found["freshet_gateway_kafka_errors_total"] == {(): 2}


def test_acknowledgements_are_timed() -> None:
    """From the sending to the last acknowledgement; what fails is counted, not timed."""
    registry = CollectorRegistry()

    class Slow:
        async def send(self, topic: str, records: Sequence[Record], within_s: float) -> list[Outcome]:
            await asyncio.sleep(0.03)
            if topic == "away":
                raise ServiceError("away")
            return [Position(0, 0), InvalidEvent("too_large", "it is")]

        async def refusal(self) -> str | None:
            return "why"

    sender = MeteredSender(Slow(), Meters(registry))
    assert len(asyncio.run(sender.send("t", [], 1.0))) == 2
    with pytest.raises(ServiceError):
        asyncio.run(sender.send("away", [], 1.0))
    assert asyncio.run(sender.refusal()) == "why"
    assert registry.get_sample_value("freshet_gateway_kafka_ack_seconds_count") == 1
    assert (registry.get_sample_value("freshet_gateway_kafka_ack_seconds_sum") or 0) >= 0.03
    assert registry.get_sample_value("freshet_gateway_kafka_errors_total") == 1


def test_lists_are_counted_by_rung() -> None:
    """Of one user and of many; none where nothing is published."""
    one = Counting()
    one.client.get("/v1/users/u1/recommendations")
    one.client.post("/v1/recommendations", json={"user_ids": ["u1", "u2", "u3"]})
    one.redis.stored.clear()
    one.client.get("/v1/users/u1/recommendations")
    found = {rung: n for (rung,), n in one.scrape()["freshet_gateway_lists_total"].items()}
    assert found == {"user": 2, "segment": 0, "default": 2, "none": 1}


def test_reads_that_redis_does_not_answer() -> None:
    """Each is an error: of a list, of features, and of one user among many whose node is away."""
    one = Counting()
    one.redis.stored["recs:user:u2"] = ServiceError("its node is away")
    assert one.client.post("/v1/recommendations", json={"user_ids": ["u1", "u2"]}).status_code == 200
    one.redis.down = True
    for path in ("recommendations", "features"):
        assert one.client.get(f"/v1/users/u1/{path}").status_code == 503
    found = one.scrape()
    assert found["freshet_gateway_redis_errors_total"] == {(): 3}
    assert found["freshet_gateway_lists_total"][("user",)] == 1


def test_nothing_is_counted_of_whom() -> None:
    """No label has an id, a key or an address."""
    key, entry = new_key("shop", ["read"])
    one = Counting(gateway_keys=[entry])
    one.client.get("/v1/users/somebody/features", headers={"Authorization": f"Bearer {key}"})
    said = generate_latest(one.registry).decode()
    assert not any(secret in said for secret in ("somebody", "shop", key, "127.0.0.1"))
