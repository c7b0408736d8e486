"""What the workers say of themselves: their metrics, as they serve them to Prometheus."""

import asyncio
import socket
from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

import aiohttp

from app.metrics.read import Samples, parsed

TIMEOUT_S: Final = 2.0
MAX_BYTES: Final = 4_000_000
NAMES_S: Final = 5.0


class Worker(NamedTuple):
    """One worker at one moment.

    Parameters
    ----------
    address
        Host and port of its metrics.
    error
        Why there are no samples; None: there are.
    """

    address: str
    samples: Samples
    error: str | None = None

    def value(self, name: str, *labels: str) -> float | None:
        """One sample; None if there is none."""
        return self.samples.get(name, {}).get(labels)

    def total(self, name: str) -> float:
        """The sum over all labels; 0 if there is none."""
        return sum(self.samples.get(name, {}).values())


class Workers(Protocol):
    """Where workers are asked."""

    async def read(self) -> list[Worker]:
        """All of them now, those that do not answer with their error."""

    async def close(self) -> None:
        """Ask no more."""


class HttpWorkers:
    """Asks the addresses of the settings; a name that has several addresses is several workers."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = urls
        self._session: aiohttp.ClientSession | None = None
        self._found: list[str] = []
        self._looked_s = -NAMES_S

    async def read(self) -> list[Worker]:
        """All of them now, those that do not answer with their error."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._looked_s >= NAMES_S:
            self._found, self._looked_s = await _addresses(self._urls), now_s
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=False, auto_decompress=True
            )
        session = self._session
        return list(await asyncio.gather(*(_ask(session, url) for url in self._found)))

    async def close(self) -> None:
        """Ask no more."""
        if self._session is not None:
            await self._session.close()


async def _ask(session: aiohttp.ClientSession, url: str) -> Worker:
    address = urlsplit(url).netloc.rpartition("@")[2]
    try:
        async with session.get(url, allow_redirects=False) as answer:
            if answer.status != 200:
                return Worker(address, {}, f"answers {answer.status} where its metrics should be")
            body = await answer.content.read(MAX_BYTES)
            while len(body) < MAX_BYTES and (more := await answer.content.read(MAX_BYTES - len(body))):
                body += more
        return Worker(address, parsed(body.decode("utf-8", "replace")))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Worker(address, {}, f"does not answer ({type(error).__name__})")
    except ValueError as error:  # what is there is no text of Prometheus
        return Worker(address, {}, f"serves no metrics: {error}")


async def _addresses(urls: Sequence[str]) -> list[str]:
    """Each URL, once per address of its name; HTTPS as it is, because certificates are for names."""
    found: dict[str, None] = {}
    for url in urls:
        parts = urlsplit(url)
        hosts = [] if parts.scheme == "https" else await _hosts(parts.hostname or "")
        for host in hosts:
            found[urlunsplit(parts._replace(netloc=f"{host}:{parts.port or 80}"))] = None
        if not hosts:
            found[url] = None
    return list(found)


async def _hosts(name: str) -> list[str]:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            known = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return []
    four = sorted({str(each[4][0]) for each in known if each[0] == socket.AF_INET})
    return four or sorted({f"[{each[4][0]}]" for each in known if each[0] == socket.AF_INET6})
