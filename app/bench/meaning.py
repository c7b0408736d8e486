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
MEMORY: Final = {
    "items": "things in the catalogue, each with an event or more",
    "users": "people that the events are of",
    "events": "events folded: a view of each item in random order, then as many as people are, 20,000 at least",
    "bytes_per_item": "arrays and ids of the items of a partition, with what they hold spare to grow",
    "resident_bytes_per_item": "what the process grew by while it folded, users' arrays taken off: pages really used",
    "rest_bytes_per_item": "what else the fold holds, most of it of one size whatever the catalogue",
    "view_bytes_per_item": "what a worker's view of such a share adds, from which lists are made",
    "checkpoint_bytes_per_item": "of an item's key and value in the topic of checkpoints",
    "bytes_per_user": "arrays and ids of the users of a partition, with what they hold spare to grow",
    "checkpoint_bytes_per_user": "of a user's key and value in the topic of checkpoints",
    "lists": "lists published, one of each user",
    "redis_bytes_per_list": "of a list's key and value, by MEMORY USAGE",
    "redis_bytes_per_listed_item": "the same by the items that stand in it",
}


def rows(result: dict[str, Any], meaning: dict[str, str]) -> list[tuple[str, str, str]]:
    """Name, number and meaning of each number of a result.

    >>> rows({"n": 60_000}, FRESHNESS)
    [('n', '60,000', 'events sent in the measured time')]
    """
    return [(name, _said(value), meaning[name]) for name, value in result.items()]


def memory_columns(result: dict[str, Any]) -> tuple[str, ...]:
    """The columns of numbers: here, and where another checkout was measured there and the ratio."""
    return ("here", "beside", "ratio") if "beside" in result else ("here",)


def memory_rows(result: dict[str, Any], meaning: dict[str, str]) -> list[tuple[str, ...]]:
    """Name, numbers and meaning of what takes memory.

    >>> memory_rows({"users": 5000, "parts": {}}, MEMORY)
    [('users', '5,000', 'people that the events are of')]
    """
    tables = [result, *([result["beside"], result["ratio"]] if "beside" in result else [])]
    return [(name, *(_said(each.get(name)) for each in tables), meaning[name]) for name in meaning if name in result]


def part_rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """Name and numbers of each part, the largest here first.

    >>> part_rows({"parts": {"a": 2.0, "b": 1.0}, "beside": {"parts": {"a": 1.0}}, "ratio": {}})
    [('a', '2.0', '1.0', '2.0'), ('b', '1.0', '-', '-')]
    """
    ours = result["parts"]
    if "beside" not in result:
        return [(name, _said(value)) for name, value in ours.items()]
    theirs = result["beside"]["parts"]
    found: list[tuple[str, ...]] = []
    for name in {**ours, **theirs}:
        here, there = ours.get(name), theirs.get(name)
        ratio = round(here / there, 3) if here and there else None
        found.append((name, _said(here), _said(there), _said(ratio)))
    return found


def _said(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"
