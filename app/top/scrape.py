"""Asks workers for their metrics."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout

from app.metrics.read import Samples, parsed

TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Scraped:
    """What one worker said; or why it said nothing."""

    place: str
    samples: Samples = field(default_factory=dict)
    error: str = ""


def parse(place: str, text: str) -> Scraped:
    """Samples of the text format."""
    return Scraped(place, parsed(text))


async def scrape(places: Sequence[str]) -> list[Scraped]:
    """All of them at once; who does not answer has an error."""
    if not places:
        return []
    async with ClientSession(timeout=ClientTimeout(total=TIMEOUT_S)) as session:
        return list(await asyncio.gather(*(_one(session, place) for place in places)))


async def _one(session: ClientSession, place: str) -> Scraped:
    try:
        async with session.get(f"http://{place}/metrics") as answer:
            text = await answer.text()
            if answer.status != 200:
                return Scraped(place, error=f"answers {answer.status}")
            return parse(place, text)
    except (ClientError, TimeoutError, ValueError) as error:
        said = f"{error}" or type(error).__name__
        hint = "A worker serves them with FRESHET_METRICS_LISTEN_PORT; name it by --metrics."
        return Scraped(place, error=f"no metrics: {said}. {hint}")
