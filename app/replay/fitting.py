"""A look at the beginning of a log before anything is done with it: whether there is any event in it."""

import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from app.replay.columns import AMERICAN, CONTEXT, EUROPEAN, NO_TIMES
from app.replay.mapped import SourceLog
from app.replay.movielens import MovieLensLog
from app.replay.otto import OttoLog
from app.replay.parquet import ParquetLog
from app.replay.records import EventLog
from app.replay.refusals import MAX_FIELDS, Refusals, object_of
from app.replay.row_fields import hint_of_path
from app.replay.text import JsonlLog
from app.settings import Settings
from app.sources.elements import EACH
from app.sources.times import NUMBER, iso_ms
from models.errors import InvalidEvent, LogError
from models.events import SECONDS, decode, shown

LOOKED_AT = 1000

_NO_TIME = ": timestamp is missing."
_IN_SOURCE, _BY_FLAG = 'time = "s" in the source', "--timestamp-unit s"


def refuse_what_does_not_fit(log: EventLog, settings: Settings) -> None:
    """Refuse a log of whose first thousand records none is an event; read by a source, of whose rows none is.

    Raises
    ------
    LogError
        With the first record and what is wrong with it for each reason, and what to do.
    """
    rules, now_ms = settings.rules, int(time.time() * 1000)
    refusals, in_words = Refusals(), ""
    for number, (raw, record) in enumerate(islice(log.beginning(), LOOKED_AT), 1):
        try:
            decode(record.key, record.value, now_ms, rules)
        except InvalidEvent as invalid:
            refusals.take(number, raw, invalid)
            if not in_words and invalid.reason == "bad_type":
                in_words = _time_in_words(object_of(record.value))
        else:
            return
    if isinstance(log, SourceLog):
        refusals = log.refusals
    elif log.n_skipped and not refusals.counts:
        raise LogError(
            f"{log.path}: all of its {log.n_skipped:,} rows are skipped. Check the names in --where, --types, --ignore."
        )
    if refusals.counts:
        lines = [_heading(log, refusals.counts.total()), *refusals.lines()]
        if absent := absent_columns(log):
            lines.append(f"There is {absent}")
        in_seconds, is_timeless = (any(said in line for line in lines) for said in (SECONDS, _NO_TIME))
        advice = _advice(log, in_seconds=in_seconds, in_words=in_words, is_timeless=is_timeless)
        raise LogError("\n".join((*lines, *advice)))


def absent_columns(log: EventLog) -> str:
    """What to say of columns that are named and stand in no record looked at; empty if all do, or its header tells."""
    if not isinstance(log, JsonlLog | ParquetLog) or not log.columns:
        return ""
    absent, there = dict(log.columns), dict[str, None]()
    for raw, record in islice(log.beginning(), LOOKED_AT):
        found, own = object_of(record.value) or {}, object_of(raw) or {}
        context = found.get("context")
        found |= {f"{CONTEXT}{name}": value for name, value in context.items()} if isinstance(context, dict) else {}
        absent = {field: column for field, column in absent.items() if found.get(field) is None}
        there |= dict.fromkeys(list(own)[:MAX_FIELDS])
        for element in (log.choice.elements(own) or ())[:1]:
            there |= {f"{EACH}.{name}": None for name in element} if isinstance(element, dict) else {}
    if not absent or not there:
        return ""
    named = ", ".join(f"{column!r} (for {field})" for field, column in absent.items())
    names = ", ".join(map(repr, list(there)[:MAX_FIELDS]))
    return f"no {named} in the first records; there are {names}.{hint_of_path(absent.values())}"


def _time_in_words(event: dict[str, Any] | None) -> str:
    """The text that stands where a time should; empty if a number does, or nothing."""
    timestamp = (event or {}).get("timestamp")
    return timestamp if isinstance(timestamp, str) and not NUMBER.fullmatch(timestamp) else ""


def _deeper(log: EventLog) -> str:
    """What to say of a log whose first record has objects or arrays of them in it; empty without any."""
    first = next((object_of(raw) for raw, _ in log.beginning()), None) or {}
    if "item_id" in first:
        return ""
    for name, found in first.items():
        if isinstance(found, list) and found and isinstance(found[0], dict):
            inner = next(iter(found[0]), "id")
            return f"Several events a record: e.g. --each {name} --column item_id={EACH}.{inner}."
    for name, found in first.items():
        if isinstance(found, dict) and found and name != "context":
            return f"What stands deeper is named by its path: e.g. --column item_id={name}.{next(iter(found))}."
    return ""


def _heading(log: EventLog, n: int) -> str:
    if isinstance(log, SourceLog):
        return f"{log.path}: none of its {log.n_rows:,} rows is an event, {n:,} are refused."
    return f"{log.path}: none of its first {n:,} records is an event."


def _advice(log: EventLog, *, in_seconds: bool, in_words: str, is_timeless: bool) -> Iterator[str]:
    """What flags can do; none changes how a known set is read."""
    if isinstance(log, MovieLensLog | OttoLog):
        return
    if in_seconds:
        yield f"If its times are seconds, say {_IN_SOURCE if isinstance(log, SourceLog) else _BY_FLAG}."
    if in_words and iso_ms(in_words) is not None:
        yield "Its times are ISO 8601: say --timestamp-unit iso."
    elif in_words:
        yield (
            f"Its times are text, {shown(in_words)}: say their form, which is never guessed, e.g. --timestamp-unit "
            f"'{AMERICAN}' (the month first) or --timestamp-unit '{EUROPEAN}' (the day first)."
        )
    if isinstance(log, JsonlLog) and not log.columns and (deeper := _deeper(log)):
        yield deeper
    if is_timeless and not isinstance(log, SourceLog):
        yield f"If it has no times at all, say --timestamp-unit {NO_TIMES}: the order of its rows then counts."
    yield f"`freshet sniff {log.path.name}` looks for a format or a mapping that fits."
