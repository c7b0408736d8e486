"""What was found, as lines of comments around settings that can be pasted."""

from collections.abc import Iterator
from typing import Any

import orjson

from app.sniff.sample import Sample
from app.sniff.sniff import Finding

MAX_FIELDS = 40


def finding_json(finding: Finding, sample: Sample) -> dict[str, Any]:
    """The fields of the command's JSON line."""
    verdict = finding.verdict
    return {
        "name": sample.name,
        "fits": finding.fits,
        "records": verdict.n_records,
        "partitions": len(sample.partitions) if sample.is_topic else None,
        "parsed": verdict.n_parsed,
        "left_out": verdict.n_left_out,
        "refused": dict(verdict.refused),
        "first_refused": verdict.first_refused or None,
        "events": verdict.n_events,
        "examples": verdict.examples,
        "source": finding.words,
        "toml": finding.toml,
        "time": finding.unit_said,
        "partitioners": finding.placing.names,
        "placing": finding.placing.said,
        "keyed_by_user": verdict.n_keyed_by_user,
        "late": finding.order.n_late,
        "late_by_ms": finding.order.most_ms,
        "fields": list(finding.fields),
    }


def finding_lines(finding: Finding, sample: Sample) -> Iterator[str]:
    """The same for people: everything but the settings stands behind a #."""
    verdict = finding.verdict
    where = f" of {len(sample.partitions)} partitions" if sample.is_topic else ""
    yield f"# {sample.name}: {verdict.n_records:,} records{where} looked at"
    if not verdict.n_records:
        empty = "let producers write some first" if sample.is_topic else "the file has no rows"
        yield f"# There is nothing to look at: {empty}."
        return
    if not finding.fits:
        yield "# Nothing fits: no format or mapping that was tried makes an event of any record."
        yield f"# The nearest, {verdict.settings.format}, says of the first: {verdict.first_refused or 'left out'}"
        yield f"# Time: {finding.unit_said}."
        yield f"# Fields: {', '.join(finding.fields[:MAX_FIELDS]) or 'none, the values are no JSON objects'}"
        yield "# Write [sources.<name>] by hand: user_id, item_id, event_type, timestamp and time."
    else:
        yield from _fitting(finding)
    if sample.is_topic:
        yield f"# Partitioner: {finding.placing.said}"
        if finding.fits:
            yield f"# Keys: {verdict.n_keyed_by_user:,} of {verdict.n_parsed:,} records have their user_id as key."


def _fitting(finding: Finding) -> Iterator[str]:
    verdict = finding.verdict
    refused = sum(verdict.refused.values())
    share = verdict.n_parsed / verdict.n_records
    yield (
        f"# {verdict.n_parsed:,} records ({share:.1%}) give {verdict.n_events:,} events, "
        f"{verdict.n_left_out:,} are left out, {refused:,} are refused"
    )
    if refused:
        yield f"# The first that is refused: {verdict.first_refused}"
    for event in verdict.examples:
        yield f"# e.g. {orjson.dumps(event).decode()}"
    yield f"# Time: {finding.unit_said}."
    if finding.order.n_late:
        yield (
            f"# Order: {finding.order.n_late:,} of {verdict.n_events:,} events come behind a later one, by up to "
            f"{finding.order.most_ms / 1000:,.0f} s (FRESHET_LATE_GRACE_S bounds what still counts in windows)"
        )
    else:
        yield "# Order: the events are in the order of time."
    if "event_type" in finding.words.get("constants", {}):
        yield f"# No field tells the type: {finding.words['constants']['event_type']!r} is assumed for all."
    if unknown := [name for name, ours in finding.words.get("types", {}).items() if not ours]:
        yield f"# Types without a known meaning are left out: {', '.join(map(repr, unknown))}. Say what they are."
    if finding.words.get("format") == "freshet" and len(finding.words) <= 2:
        yield "# This is the plain form: producers may as well write to the events topic itself."
    yield ""
    yield from finding.toml.splitlines()
    yield ""
