"""What the gateway counts: requests, events, Kafka's acknowledgements, reads of Redis."""

import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from app.gateway.around import Answered
from app.gateway.described import BOUNDS_S, METRICS
from app.gateway.sender import Outcome, Position, Record, Sender
from models.errors import InvalidEvent, ServiceError
from models.events import REASONS

METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"))
OTHER: Final = "other"
"""The method of requests that name none of these: strangers write there what they like."""

RUNGS: Final = ("user", "segment", "default", "none")


class Meters:
    """The counters of one process.

    Several processes write theirs into the files of `PROMETHEUS_MULTIPROC_DIR`, if it is set when prometheus-client is
    imported; whoever is asked adds them up (`app.gateway.metrics`).
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._gauge("freshet_gateway_build_info").labels(version("freshet")).set(1)
        self._requests = self._counter("freshet_gateway_requests")
        self._seconds = self._histogram("freshet_gateway_request_seconds")
        self._accepted = self._counter("freshet_gateway_events_accepted")
        self._rejected = self._counter("freshet_gateway_events_rejected")
        self._unacknowledged = self._counter("freshet_gateway_events_unacknowledged")
        self._acks = self._histogram("freshet_gateway_kafka_ack_seconds")
        self._kafka_errors = self._counter("freshet_gateway_kafka_errors")
        self._redis_errors = self._counter("freshet_gateway_redis_errors")
        lists = self._counter("freshet_gateway_lists")
        self._lists = {rung: lists.labels(rung) for rung in RUNGS}
        for reason in REASONS:  # at 0 from the start, or the first of its kind would be no growth
            self._rejected.labels(reason)
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def answered(self, answered: Answered) -> None:
        """Count a request."""
        key = answered.method, answered.route, answered.status
        children = self._known.get(key)
        if children is None:
            method = answered.method if answered.method in METHODS else OTHER
            children = (
                self._requests.labels(method, answered.route, str(answered.status)),
                self._seconds.labels(answered.route),
            )
            if method != OTHER:
                self._known[key] = children
        children[0].inc()
        children[1].observe(answered.seconds)

    def events(self, outcomes: Sequence[Outcome]) -> None:
        """Count what became of the events of a request."""
        n_accepted = n_unknown = 0
        for outcome in outcomes:
            if isinstance(outcome, Position):
                n_accepted += 1
            elif isinstance(outcome, InvalidEvent):
                self._rejected.labels(outcome.reason).inc()
            else:
                n_unknown += 1
        self._accepted.inc(n_accepted)
        if n_unknown:
            self._unacknowledged.inc(n_unknown)

    def sent(self, seconds: float, *, is_whole: bool) -> None:
        """Count what one request wrote to Kafka; whole: all of it was acknowledged."""
        if is_whole:
            self._acks.observe(seconds)
        else:
            self._kafka_errors.inc()

    def failed(self) -> None:
        """Count a read that Redis did not answer."""
        self._redis_errors.inc()

    def found(self, rung: str | None) -> None:
        """Count a list that was given, by its rung; None: there was none."""
        self._lists[rung or "none"].inc()

    def _counter(self, name: str) -> Counter:
        return Counter(name, METRICS[name].help, METRICS[name].labels, registry=self._registry)

    def _histogram(self, name: str) -> Histogram:
        of_it = METRICS[name]
        return Histogram(name, of_it.help, of_it.labels, registry=self._registry, buckets=BOUNDS_S)

    def _gauge(self, name: str) -> Gauge:
        of_it = METRICS[name]
        return Gauge(name, of_it.help, of_it.labels, registry=self._registry, multiprocess_mode="max")


class MeteredSender:
    """A sender whose acknowledgements are timed."""

    def __init__(self, sender: Sender, meters: Meters) -> None:
        self._sender = sender
        self._meters = meters

    async def send(self, topic: str, records: Sequence[Record], within_s: float) -> list[Outcome]:
        """Send records, as the sender does."""
        began = time.monotonic()
        try:
            outcomes = await self._sender.send(topic, records, within_s)
        except ServiceError:
            self._meters.sent(time.monotonic() - began, is_whole=False)
            raise
        self._meters.sent(time.monotonic() - began, is_whole=all(outcome is not None for outcome in outcomes))
        return outcomes

    async def refusal(self) -> str | None:
        """Why it cannot send now; None: it can."""
        return await self._sender.refusal()
