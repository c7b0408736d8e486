"""aiokafka's consumer inside Faust's: what it reads, how it asks the broker, and where it stands."""

from typing import Any

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.auth import CredentialsT

from app.broker import Broker

COLLECTED = 1 << 15, 3  # bytes, ms: while records come several at a time, the broker collects before it answers
AT_ONCE = 1, 500  # bytes, ms: otherwise it answers with the first one


class CommittedThread(driver.AIOKafkaConsumerThread):
    """The client's thread. It reads committed records: what a producer's transaction took back has not happened."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # Faust ties this to producing in transactions itself
        return consumer


def credentials(broker: Broker) -> CredentialsT | None:
    """What every aiokafka client is given to prove who it is, in the form that Faust hands on to its own."""
    given = broker.client()
    context = given.get("ssl_context")
    if "sasl_oauth_token_provider" in given:
        return faust.OAuthCredentials(oauth_cb=given["sasl_oauth_token_provider"], ssl_context=context)
    if "sasl_mechanism" in given:
        return faust.SASLCredentials(
            username=given["sasl_plain_username"],
            password=given["sasl_plain_password"],
            mechanism=given["sasl_mechanism"],
            ssl_context=context,
        )
    return None if context is None else faust.SSLCredentials(context)


def ask_for(consumer: Any, how: tuple[int, int]) -> None:
    """Have the broker answer the next fetches when it has so many bytes, or after so many ms."""
    consumer._fetcher._fetch_min_bytes, consumer._fetcher._fetch_max_wait_ms = how


def answered_ms(consumer: Any, tp: TP) -> int | None:
    """When the broker last answered a fetch of a partition from where the client stood; Unix ms, None: never.

    An answer to a fetch from another position is thrown away by the client, and does not count.
    """
    assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment
    state = assignment and assignment.state_value(tp)
    answered: int | None = state.timestamp if state and state.has_valid_position else None
    return answered


def position(consumer: Any, tp: TP) -> int:
    """Where the client goes on: behind what it skips as well, such as the marks and the remains of transactions."""
    assignment = consumer._subscription.subscription and consumer._subscription.subscription.assignment
    state = assignment and assignment.state_value(tp)
    return state.position if state and state.has_valid_position else 0
