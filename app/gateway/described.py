"""Every metric that a gateway exports; their names are a contract of boards and alarms, as workers' are."""

from typing import Final

from app.metrics.described import Described

METRICS: Final[dict[str, Described]] = {
    "freshet_gateway_build_info": Described(
        "gauge", "Always 1; the version of Freshet stands beside it.", ("version",)
    ),
    "freshet_gateway_requests": Described(
        "counter",
        "Requests answered; route `-`: there is none, or it was not reached (401, 429); status 499: the client left.",
        ("method", "route", "status"),
    ),
    "freshet_gateway_request_seconds": Described(
        "histogram", "Time from the head of a request to its end.", ("route",)
    ),
    "freshet_gateway_events_accepted": Described("counter", "Events that all replicas of Kafka have."),
    "freshet_gateway_events_rejected": Described("counter", "Events that are none, by reason.", ("reason",)),
    "freshet_gateway_events_unacknowledged": Described(
        "counter", "Events that Kafka did not say in time to have: the client was told to send them again."
    ),
    "freshet_gateway_kafka_ack_seconds": Described(
        "histogram", "Time until Kafka has acknowledged all that one request wrote."
    ),
    "freshet_gateway_kafka_errors": Described("counter", "Requests of which Kafka did not acknowledge all in time."),
    "freshet_gateway_redis_errors": Described("counter", "Reads that Redis did not answer."),
    "freshet_gateway_lists": Described(
        "counter", "Lists given, by the rung of the ladder: user, segment, default, none.", ("rung",)
    ),
}
"""By name, without `_total`."""

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of both histograms, s."""
