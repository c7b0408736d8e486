"""Looks at a sample, tries the settings that may fit, and says what was found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.sniff.fields import fields_of
from app.sniff.guess import Words, as_document, documents_of, guesses, key_form, wrappers_of
from app.sniff.judge import Order, Placing, Verdict, judge, order, placing
from app.sniff.sample import Sample
from app.sniff.toml import source_toml
from app.sources import SourceRecord, SourceSettings, file_source, make_source
from app.sources.avro import local_schema
from app.sources.framing import schema_name
from app.sources.registry import Fetch, Schemas, http_fetch
from app.sources.wrappers import header
from models.errors import InvalidEvent
from models.events import EventRules

MAX_REFUSED = 0.1
"""Share of records that a known format may refuse, and still be taken before a mapping that takes more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a sample is.

    Parameters
    ----------
    words
        Settings of the source that fits best; empty where none does.
    unit_said
        Why its time has its unit.
    fields
        Names of the fields that were seen, for people who map them.
    """

    name: str
    words: Words
    toml: str
    unit_said: str
    verdict: Verdict
    placing: Placing
    order: Order
    fields: Sequence[str]

    @property
    def fits(self) -> bool:
        """Whether any record gave an event."""
        return self.verdict.n_parsed > 0


async def sniff(
    sample: Sample, rules: EventRules, *, schema: Words | None = None, fetch: Fetch | None = None
) -> Finding:
    """Try what may fit, and take the best.

    Parameters
    ----------
    schema
        `registry` or `schema_file`, for values that are Avro.
    fetch
        Asks the registry; over HTTP if None.
    """
    records = sample.records
    wrappers, keys = wrappers_of(records), key_form(records)
    schema = schema if schema and "confluent" in wrappers else {}
    documents = await _documents(records, schema, fetch) if schema else documents_of(records)
    best: tuple[Verdict, Words, str] | None = None
    for guess, unit_said in guesses(wrappers, documents):
        words = {**guess, **schema, **({"key": keys} if keys != "text" and _needs_key(guess) else {})}
        settings = SourceSettings.model_validate(words)
        source = make_source(settings, rules, fetch=fetch) if sample.is_topic else file_source(settings, rules)
        await source.prepare(records)
        verdict = judge(source, settings, sample)
        is_better = best is None or verdict.rank > best[0].rank or not best[0].n_parsed
        if is_better:
            best = verdict, words, unit_said
        if is_known(settings) and verdict.n_parsed and verdict.refused.total() <= MAX_REFUSED * verdict.n_records:
            break  # a format that is known by its own fields: it says more than names do
    assert best is not None  # the plain format is tried where nothing else is
    verdict, words, unit_said = best
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", sample.name.split(".jsonl")[0].split(".csv")[0]).strip("-") or "shop"
    pasted = ({"topics": [sample.name]} if sample.is_topic else {}) | words
    return Finding(
        name=name,
        words=pasted if verdict.n_parsed else {},
        toml=source_toml(name, pasted) if verdict.n_parsed else "",
        unit_said=unit_said,
        verdict=verdict,
        placing=placing(sample),
        order=order(verdict.events),
        fields=sorted(fields_of(documents)),
    )


def is_known(settings: SourceSettings) -> bool:
    """Whether the settings are those of events of a known format."""
    return settings.event_format != "freshet"


def _needs_key(words: Words) -> bool:
    return any(isinstance(value, str) and "_key" in value for value in words.values())


async def _documents(records: Sequence[SourceRecord], schema: Words, fetch: Fetch | None) -> list[Any]:
    """Values behind their frames, by the schemas."""
    local = local_schema(schema["schema_file"]).read if schema.get("schema_file") else None
    schemas = Schemas(fetch or http_fetch(schema["registry"], None, None)) if schema.get("registry") else None
    found = []
    for record in records:
        try:
            name, body = schema_name(record.value, header(record, "__value_schema_id"))
            if schemas is not None and name not in schemas:
                await schemas.fetch(name)
            decode = local if schemas is None else schemas[name]
            found.append(as_document(decode(body), record) if decode else None)
        except InvalidEvent:
            continue
    return found
