"""An evaluation in words and tables: what a terminal and a picture's page show alike."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from app.evaluate.lists import SERVED, WITHOUT

_METRICS: Final = {
    "hr": "HR",
    "ndcg": "NDCG",
    "mrr": "MRR",
    "precision": "P",
    "recall": "R",
    "f1": "F1",
    "map": "MAP",
}
_SHOWN: Final = {"coverage@10": "coverage", "novelty@10": "novelty", "gini@10": "Gini", "diversity@10": "diversity"}
_LEFT_OUT: Final = {
    "not_positive": "not positive",
    "repeat": "repeats: items that their user had already",
    "user_not_sampled": "of users left out by --sample",
    "dead_letter": "no events: dead letters",
    "duplicate": "duplicates",
}
_COMPARED: Final = ("hr@10", "hr@20", "ndcg@10")
_COMPARED_BY: Final = {
    "categories": "1 - Jaccard of two items' categories",
    "users": "1 - cosine of the users who had taken to two items",
}
_WIDE: Final = 12


@dataclass(frozen=True, slots=True)
class Table:
    """A table: what it shows, the heads of its columns, and rows, the first cell of which says what they are."""

    title: str
    columns: list[str]
    rows: list[list[str]]


def counts_of(result: dict[str, Any]) -> Iterator[str]:
    """What was tested, and what was not."""
    n = result["partitions"]
    seen = f", others' shares seen every {result['shares_every']:,} records" if n > 1 else ""
    yield f"{result['records']:,} records, {result['items']:,} items, {n} partition{'s' if n > 1 else ''}{seen}"
    again = result["repeats_tested"]
    had = f" ({result['tests'] - again:,}) or had before ({again:,})" if again else ""
    yield (
        f"{result['tests']:,} tests on {result['lists_tested']:,} lists of {result['users_tested']:,} users: "
        f"positive events on items new to their user{had}, each scored on the list of before its timestamp"
    )
    for reason, count in result["left_out"].items():
        if count:
            yield f"left out: {count:,} {_LEFT_OUT[reason]}"
    if result.get("rows_skipped"):
        yield f"skipped: {result['rows_skipped']:,} rows of the log, which are not asked for"
    if result["dead_letters"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in result["dead_letters"].items())
        yield f"no events: {reasons}; the first: {result['first_dead_letter']}"
    if result["repeat_share"]:
        never = "" if again else ": lists never offer them, unless [event_types.<type>] allow_repeats says so"
        yield f"{result['repeat_share']:.1%} of the positive events are repeats{never}"
    if not result["tests"]:
        yield "No event was tested: a test is a positive event on an item new to its user."


def tables_of(result: dict[str, Any]) -> Iterator[Table]:
    """Metrics, differences, the value of freshness and segments; nothing without tests."""
    if not result["tests"]:
        return
    for k in (10, 20):
        title = f"The first {k} places (HR, NDCG, MRR: means over tests; P, R, F1, MAP: over lists)"
        yield _of_lists(title, result, {f"{metric}@{k}": head for metric, head in _METRICS.items()})
    yield _of_lists(
        "What the first 10 places show (novelty in bits, the others 0 to 1; for 20: --json)", result, _SHOWN
    )
    yield _differences(result["differences"])
    if result["delays"]:
        yield _freshness(result["delays"])
    yield _segments(result["segments"])


def notes_of(result: dict[str, Any]) -> Iterator[str]:
    """What diversity goes by, and how well ratings were predicted."""
    found = result["diversity"]
    if found["pairs"]:
        share = found["pairs_left_out"] / found["pairs"]
        yield (
            f"Diversity: {_COMPARED_BY[found['by']]}, a mean over the pairs in the first 10 places; {share:.1%} of the "
            "list's pairs have nothing to compare and are left out"
        )
    if ratings := _ratings(result):
        yield ratings


def _ratings(result: dict[str, Any]) -> str | None:
    errors = result["ratings"]
    if not errors["n"]:
        return None
    return f"Ratings: {errors['n']:,} predicted, then learned: MAE {errors['mae']}, RMSE {errors['rmse']}"


def is_late(name: str) -> bool:
    """Whether a list is one that is served late."""
    return name.endswith(" ago")


def title_of(name: str) -> str:
    """How a list is called in a table: by short words, so that columns wrap between them."""
    return "the list" if name == SERVED else name.replace("_", "-" if len(name) > _WIDE else " ")


def late_by(each: dict[str, Any]) -> str:
    """How late one of the result's delayed lists is served."""
    if each["delay"] == "0":
        return "0, the list"
    n = each.get("records")
    return str(each["delay"]) if n is None else f"{n:,} record{'s' if n > 1 else ''}"


def _of_lists(title: str, result: dict[str, Any], heads: dict[str, str]) -> Table:
    rows = [
        [title_of(name), *(_number(found[metric]) for metric in heads)]
        for name, found in result["lists"].items()
        if not is_late(name)
    ]
    return Table(title, ["", *heads.values()], rows)


def _differences(differences: dict[str, dict[str, dict[str, float]]]) -> Table:
    rows = [
        [title_of(name), *(_interval(found[metric]) for metric in _COMPARED)]
        for name, found in differences.items()
        if not is_late(name)
    ]
    title = "The list less each other one (95 % intervals, users resampled)"
    return Table(title, ["less", *map(str.upper, _COMPARED)], rows)


def _freshness(delays: list[dict[str, Any]]) -> Table:
    rows = [
        [
            late_by(each),
            *(f"{each[metric]:.4f}" for metric in _COMPARED),
            f"{each['hr@10'] / delays[0]['hr@10']:.0%}" if delays[0]["hr@10"] else "",
            _interval(each["lost"]["hr@10"]) if "lost" in each else "",
        ]
        for each in delays
    ]
    title = "Value of freshness: the list served so late (in event time, or in records), and what of HR@10 is lost"
    return Table(title, ["late by", *map(str.upper, _COMPARED), "kept", "lost HR@10"], rows)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _interval(found: dict[str, float]) -> str:
    return f"{found['mean']:+.4f} [{found['low']:+.4f} {found['high']:+.4f}]"


def _segments(segments: dict[str, dict[str, Any]]) -> Table:
    every = next(iter(segments.values()))
    names = [name for name in every if not (name == "tests" or name.startswith(WITHOUT) or is_late(name))]
    rows = [
        [segment, f"{found['tests']:,}", *(f"{found[name]['hr@10']:.4f}" for name in names)]
        for segment, found in segments.items()
        if found["tests"]
    ]
    title = "HR@10 by segment (cold users, new items: fewer than 5 events before; head: the fifth with the most events)"
    return Table(title, ["", "tests", *map(title_of, names)], rows)
