"""Runs a command's work on Kafka: its errors in our words, its client's log lines out of the way."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiokafka.errors import KafkaError

from models.errors import ServiceError

T = TypeVar("T")


def run_on_kafka(work: Coroutine[Any, Any, T], broker: str) -> T:
    """Run a coroutine to its end.

    Raises
    ------
    ServiceError
        If Kafka cannot be reached or refuses.
    """
    from app.refusal import not_allowed

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(work)
    except KafkaError as error:
        raise ServiceError(
            not_allowed(error)
            or f"Kafka at {broker} refused: {error!r}. `freshet doctor` looks at everything that is needed."
        ) from error
