"""Check of the settings: could a worker go on with the saved state under those of this command."""

from collections.abc import Mapping
from typing import Final

from app.changes import Refuse, owner
from app.doctor.finding import Finding
from app.doctor.samples import newest_markers
from app.kafka import partition_counts
from app.settings import PREFIX, Settings
from tables.marker import Marker

CHECK: Final = "settings"


async def check_made_with(settings: Settings) -> list[Finding]:
    """What the newest markers say of topic and settings, beside those of today."""
    names = settings.names
    counts = await partition_counts(settings.kafka, [names.user_checkpoints])
    if names.user_checkpoints not in counts:
        return []  # the check of the topics says so
    return differing(await newest_markers(settings, counts[names.user_checkpoints]), settings)


def differing(markers: Mapping[int, Marker], settings: Settings) -> list[Finding]:
    """One finding for each setting that a worker would refuse to start with, with both values."""
    now = settings.fold.described()
    found: dict[tuple[str, str, str, str], list[int]] = {}
    for number, marker in sorted(markers.items()):
        if marker.topic and marker.topic != settings.names.events:
            what = ("events_topic", marker.topic, settings.names.events, "offsets of one topic say nothing of another")
            found.setdefault(what, []).append(number)
        for shaped, before in (marker.settings or {}).items():
            name, mark = owner(shaped, Settings.model_fields) or ("", None)
            if isinstance(mark, Refuse) and shaped in now and now[shaped] != before:
                found.setdefault((name, str(before), str(now[shaped]), mark.why), []).append(number)
    return [_finding(*what, numbers) for what, numbers in found.items()]


def _finding(name: str, before: str, now: str, why: str, numbers: list[int]) -> Finding:
    variable = f"{PREFIX}{name}".upper()
    which = f"partition{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"
    found = f"{variable} is {now} here, and {before} where the state of {which} was made: {why}"
    advice = (
        f"No worker starts so, and what this command places goes elsewhere. Set {variable}={before} here as well, or "
        "stop all workers, set it the same everywhere and run `freshet reset`."
    )
    return Finding(
        CHECK, "wrong", found, advice, {"setting": name, "here": now, "state": before, "partitions": numbers}
    )
