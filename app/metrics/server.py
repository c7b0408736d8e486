"""`/metrics`, `/healthz` and `/readyz`, answered by the worker's own event loop: who is blocked does not answer."""

import logging
from typing import NamedTuple

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder

from app.metrics.collect import WorkerCollector
from app.metrics.parts import Parts
from app.metrics.ready import why_not_ready
from models.errors import ServiceError

logger = logging.getLogger("freshet")

JSON = "application/json"


class Answer(NamedTuple):
    """What is answered."""

    status: int
    content_type: str
    body: bytes


class Answers:
    """The answers to all three, whoever asks: no socket is here."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._registry = CollectorRegistry()
        self._registry.register(WorkerCollector(parts))
        ProcessCollector(registry=self._registry)

    def metrics(self, accept: str) -> Answer:
        """Everything measured, in the format that an Accept header asks for."""
        encode, content_type = choose_encoder(accept)
        return Answer(200, content_type, encode(self._registry))

    def healthz(self) -> Answer:
        """The process answers: that is all it says."""
        return Answer(200, JSON, b'{"healthy":true}')

    def readyz(self) -> Answer:
        """Ready, or why not."""
        why = why_not_ready(self._parts)
        if why is None:
            return Answer(200, JSON, b'{"ready":true}')
        return Answer(503, JSON, orjson.dumps({"ready": False, "reason": why}))


class MetricsServer:
    """Serves the answers on one port, until it is stopped."""

    def __init__(self, parts: Parts, host: str, port: int) -> None:
        self._answers = Answers(parts)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        ServiceError
            If the address cannot be had.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.5)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            raise ServiceError(
                f"metrics cannot be served: FRESHET_METRICS_LISTEN_HOST is {self._host!r}, FRESHET_METRICS_LISTEN_PORT "
                f"{self._port}: {error.strerror or error}. Use an address of this machine and a port that is free, one "
                "for each worker, or port 0 to serve none."
            ) from error
        logger.info("metrics at http://%s:%d/metrics", self._host, self._port)

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return _response(self._answers.metrics(request.headers.get("Accept", "")))

    async def _healthz(self, request: web.Request) -> web.Response:
        return _response(self._answers.healthz())

    async def _readyz(self, request: web.Request) -> web.Response:
        return _response(self._answers.readyz())


def _response(answer: Answer) -> web.Response:
    headers = {"Content-Type": answer.content_type, "Cache-Control": "no-store"}
    return web.Response(status=answer.status, body=answer.body, headers=headers)
