"""What the numbers of the benchmarks mean, in the words that people get to read beside them."""

from typing import Any, Final

STREAM: Final = {
    "pipeline_events_per_s": "the whole of Freshet: fold, learn, test, save, lists; first fetch to last list in Redis",
    "stock_events_per_s": "a plain Faust agent that adds 1 per user and does nothing else",
    "raw_read_events_per_s": "a plain consumer that parses the events and forgets them: what reading alone allows",
    "ratio_to_stock": "Freshet's events a second through plain Faust's",
    "ratio_to_raw": "Freshet's events a second through the plain consumer's",
    "lists_published": "lists written to Redis; behind a backlog a user's goes out every 500 ms, the last one always",
    "evaluated_n": "liked items, new to their user, that were looked for in the list of just before",
    "hr@10": "the share of them that stood in the first 10 places",
    "checkpoint_bytes": "saved to Kafka, state and offset in one transaction, about once a second",
    "max_stall_ms": "the longest time that the worker's event loop stood still",
}
FRESHNESS: Final = {
    "rate": "events a second, each sent when it is due, whatever becomes of the others",
    "users": "people that the events are of",
    "items": "things in the catalogue that the events are on",
    "touched": "those among them that had an event before anything was measured",
    "n": "events sent in the measured time",
    "probed": "clicks among them whose user's list was read every ms until it reacted",
    "unread": "lists that did not react within 10 s",
    "p50_ms": "half of the clicks show in the list in Redis so soon after they were due to be sent",
    "p95_ms": "19 of 20 do",
    "p99_ms": "99 of 100 do",
    "raw_p50_ms": "half of the same clicks reach a plain consumer, which does nothing with them, so soon",
    "raw_p99_ms": "99 of 100 do",
    "max_stall_ms": "the longest time that the worker's event loop stood still",
    "max_checkpoint_stall_ms": "the longest time that a checkpoint held it",
}
FRESHNESS_INTAKE: Final = {
    "intake_n": "the same traffic once more, without keys and in another form: events sent in the measured time",
    "intake_probed": "clicks among them that were waited for",
    "intake_unread": "lists that did not react within 10 s",
    "intake_p50_ms": "half of those clicks show in the list in Redis so soon, through the intake",
    "intake_p95_ms": "19 of 20 do",
    "intake_p99_ms": "99 of 100 do",
    "intake_max_stall_ms": "the longest time that the worker's event loop stood still meanwhile",
    "added_p50_ms": "what the intake adds to the middle",
    "added_p99_ms": "what it adds to 99 of 100",
}


def rows(result: dict[str, Any], meaning: dict[str, str]) -> list[tuple[str, str, str]]:
    """Name, number and meaning of each number of a result.

    >>> rows({"n": 60_000}, FRESHNESS)
    [('n', '60,000', 'events sent in the measured time')]
    """
    return [(name, "-" if value is None else f"{value:,}", meaning[name]) for name, value in result.items()]
