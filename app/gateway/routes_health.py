"""`/healthz` and `/readyz`: for probes, without a key."""

import asyncio
import logging

from fastapi import APIRouter
from starlette.responses import Response

from app.gateway.direct import Direct
from app.gateway.documented import answers
from app.gateway.problems import as_json
from app.gateway.sender import Sender
from app.gateway.shapes import Health
from app.gateway.view import View
from models.errors import ServiceError

logger = logging.getLogger("freshet.gateway")


def health_router(sender: Sender, view: View) -> APIRouter:
    """Routes for probes."""
    router = APIRouter(route_class=Direct)

    @router.get(
        "/healthz", response_model=None, responses={200: answers(Health, "The process serves.", {"status": "ok"})}
    )
    async def healthz() -> Response:
        """Whether the process serves; says nothing of Kafka and Redis."""
        return as_json({"status": "ok"})

    @router.get(
        "/readyz",
        response_model=None,
        responses={
            200: answers(Health, "Events are taken and lists are read.", {"status": "ok"}),
            503: answers(Health, "Kafka or Redis does not answer.", {"status": "unavailable", "kafka": "unavailable"}),
        },
    )
    async def readyz() -> Response:
        """Whether Kafka takes events and Redis answers, asked of both; why not stands in the log."""
        of_kafka, of_redis = await asyncio.gather(sender.refusal(), _refusal(view))
        for why in (of_kafka, of_redis):
            if why:
                logger.warning("not ready: %s", why)
        said = {name: "unavailable" if why else "ok" for name, why in (("kafka", of_kafka), ("redis", of_redis))}
        is_ready = not (of_kafka or of_redis)
        return as_json({"status": "ok" if is_ready else "unavailable", **said}, 200 if is_ready else 503)

    return router


async def _refusal(view: View) -> str | None:
    try:
        await view.answers()
    except ServiceError as error:
        return str(error)
    return None
