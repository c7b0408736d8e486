"""Checks of the intake: are its topics there, how far is it, and what does it stand at."""

import asyncio
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from app.batches import Batch
from app.doctor.finding import Finding
from app.intake.around import open_at
from app.intake.inputs import Input, inputs_of
from app.intake.places import read_places
from app.intake.reading import Reading, make_reading
from app.kafka import partition_counts
from app.kafka_admin import log_ranges
from app.settings import Settings
from app.stopped.skips import is_skipped, read_skips
from models.errors import FreshetError, InvalidEvent, Undecodable
from tables.intake import Place

CHECK = "intake"
MOVES_S = 3.0
MAX_EXPLAINED = 3

Lags = Mapping[Input, int]


async def check_intake(settings: Settings) -> list[Finding]:
    """Missing topics, lag by source, and inputs that do not move; nothing without sources that have topics."""
    if not settings.has_intake:
        return []
    names, reading = settings.names, make_reading(settings)
    own = [spec.name for spec in names.intake_topics()]
    counts = await partition_counts(settings.kafka, [*reading.topics, *own])
    findings = check_missing(reading.topics, own, counts)
    if names.intake not in counts:
        return findings
    inputs = inputs_of({topic: n for topic, n in counts.items() if topic != names.intake})
    ends = await _ends(settings, inputs)
    places = await read_places(settings.kafka, names.intake)
    before = lags(inputs, ends, places)
    findings.append(lag_by_source(settings, before, places))
    standing = [each for each in inputs if before[each]]
    if standing:
        await asyncio.sleep(MOVES_S)
        now = await read_places(settings.kafka, names.intake)
        standing = [each for each in standing if now.get(each.key) == places.get(each.key)]
    findings += [await _explained(each, now.get(each.key), settings, reading) for each in standing[:MAX_EXPLAINED]]
    if more := standing[MAX_EXPLAINED:]:
        findings.append(Finding(CHECK, "wrong", f"so do {len(more)} others: {', '.join(map(str, more))}"))
    return findings


def check_missing(theirs: list[str], own: list[str], counts: Mapping[str, int]) -> list[Finding]:
    """Every topic that a source names, and that the intake needs, is there."""
    findings = []
    if missing := [topic for topic in theirs if topic not in counts]:
        advice = "Make them, or mend `topics` of their sources; a running worker finds them within seconds."
        findings.append(Finding(CHECK, "wrong", f"topics of sources that are not there: {', '.join(missing)}", advice))
    if missing := [topic for topic in own if topic not in counts]:
        advice = "A worker makes them at its start: run `freshet worker`."
        findings.append(Finding(CHECK, "wrong", f"not there: {', '.join(missing)}", advice))
    return findings


def lags(inputs: list[Input], ends: Mapping[Input, int], places: Mapping[bytes, Place]) -> dict[Input, int]:
    """Records of each input that are not written; all there are where nothing is stored yet."""
    return {each: max(0, ends[each] - (places[each.key].position if each.key in places else 0)) for each in inputs}


def lag_by_source(settings: Settings, lag: Lags, places: Mapping[bytes, Place]) -> Finding:
    """How far each source is."""
    shown = []
    for name, source in settings.sources.items():
        mine = [each for each in lag if each.topic in source.topics]
        n_history = sum(each.key not in places or not places[each.key].is_live for each in mine)
        history = f" ({n_history} of {len(mine)} partitions in their history)" if n_history else ""
        if source.topics:
            shown.append(f"{name}: {sum(lag[each] for each in mine)}{history}")
    return Finding(CHECK, "ok", f"records that are not in {settings.names.events} yet, by source: {', '.join(shown)}")


async def _ends(settings: Settings, inputs: list[Input]) -> dict[Input, int]:
    ends: dict[Input, int] = {}
    for topic in {each.topic for each in inputs}:
        n = sum(each.topic == topic for each in inputs)
        for number, (_, end) in (await log_ranges(settings.kafka, topic, n)).items():
            ends[Input(topic, number)] = end
    return ends


async def _explained(source: Input, place: Place | None, settings: Settings, reading: Reading) -> Finding:
    """Why an input does not move, found by reading on from its place as the intake would."""
    at = f"{source} stands at offset {place.position if place else 'its first'}"
    try:
        await _try(source, place, settings, reading)
    except Undecodable as error:
        skip = f"`freshet stopped skip --topic {source.topic} {source.partition} {error.offset}`"
        return Finding(CHECK, "wrong", f"{at}: {error}", f"Mend the log, or step over the batch, keeping it: {skip}")
    except (FreshetError, KafkaError) as error:
        return Finding(CHECK, "wrong", f"{at}: {error}", "It goes on by itself when that is mended.")
    return Finding(CHECK, "wrong", f"{at}", "Is a worker running with these sources? Look into its log.")


async def _try(source: Input, place: Place | None, settings: Settings, reading: Reading) -> None:
    async def skipped(tp: TopicPartition, batch: Batch) -> bool:
        return is_skipped(await read_skips(settings), tp.topic, tp.partition, batch)

    fetcher, _ = await open_at(source, place, settings.kafka, skipped)
    try:
        for record in await fetcher.next():
            await reading.prepare([record])
            try:
                reading.read(record)
            except InvalidEvent:
                continue  # a dead letter
    finally:
        await fetcher.stop()
