"""Asks workers for their metrics."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]
Samples = dict[str, dict[Labels, float]]

TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Scraped:
    """What one worker said: samples by name and labels; or why it said nothing."""

    place: str
    samples: Samples = field(default_factory=dict)
    error: str = ""


def parse(place: str, text: str) -> Scraped:
    """Samples of the text format, labels in order of their names."""
    samples: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return Scraped(place, samples)


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
