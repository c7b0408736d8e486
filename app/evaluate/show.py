"""An evaluation for people."""

from typing import Any, Final

from app.commands.output import print_table, say
from app.evaluate.lists import SERVED

_METRICS: Final = ("hr", "ndcg", "mrr", "precision", "recall", "f1", "map", "coverage", "novelty", "gini")
_TITLES: Final = ("HR", "NDCG", "MRR", "P", "R", "F1", "MAP", "coverage", "novelty", "Gini")
_LEFT_OUT: Final = {
    "not_positive": "not positive",
    "repeat": "repeats: items that their user had already",
    "user_not_sampled": "of users left out by --sample",
    "dead_letter": "no events: dead letters",
    "duplicate": "duplicates",
}
COMPARED: Final = ("hr@10", "hr@20", "ndcg@10")
_WIDE: Final = 12


def show_evaluation(result: dict[str, Any]) -> None:
    """Print what was tested and what was not, then metrics, differences and segments as tables."""
    _show_counts(result)
    if not result["tests"]:
        say("No event was tested: a test is a positive event on an item new to its user.")
        return
    for k in (10, 20):
        say("")
        say(f"The first {k} places (HR, NDCG, MRR: means over tests; P, R, F1, MAP: over lists)")
        rows = [
            [_title(name), *(f"{found[f'{metric}@{k}']:.4f}" for metric in _METRICS)]
            for name, found in result["lists"].items()
            if not _is_late(name)
        ]
        print_table(["", *_TITLES], rows, right=_TITLES)
    _show_differences(result["differences"])
    if result["delays"]:
        _show_freshness(result["delays"])
    _show_segments(result["segments"])
    errors = result["ratings"]
    if errors["n"]:
        say("")
        say(f"Ratings: {errors['n']:,} predicted, then learned: MAE {errors['mae']}, RMSE {errors['rmse']}")


def _show_counts(result: dict[str, Any]) -> None:
    n = result["partitions"]
    seen = f", others' shares seen every {result['shares_every']:,} records" if n > 1 else ""
    say(f"{result['records']:,} records, {result['items']:,} items, {n} partition{'s' if n > 1 else ''}{seen}")
    say(
        f"{result['tests']:,} tests on {result['lists_tested']:,} lists of {result['users_tested']:,} users: "
        "positive events on items new to their user, each scored on the list of before its timestamp"
    )
    for reason, count in result["left_out"].items():
        if count:
            say(f"left out: {count:,} {_LEFT_OUT[reason]}")
    if result["repeat_share"]:
        say(f"{result['repeat_share']:.1%} of the positive events are repeats, which lists never offer")


def _show_differences(differences: dict[str, dict[str, dict[str, float]]]) -> None:
    say("")
    say("The list less each other one (95 % intervals, users resampled)")
    rows = [
        [_title(name), *(_interval(found[metric]) for metric in COMPARED)]
        for name, found in differences.items()
        if not _is_late(name)
    ]
    titles = [metric.upper() for metric in COMPARED]
    print_table(["less", *titles], rows, right=titles)


def _show_freshness(delays: list[dict[str, Any]]) -> None:
    say("")
    say("Value of freshness: the list served so late (in event time, or in records), and what of HR@10 is lost")
    rows = [
        [
            _late_by(each),
            *(f"{each[metric]:.4f}" for metric in COMPARED),
            f"{each['hr@10'] / delays[0]['hr@10']:.0%}" if delays[0]["hr@10"] else "",
            _interval(each["lost"]["hr@10"]) if "lost" in each else "",
        ]
        for each in delays
    ]
    titles = [*(metric.upper() for metric in COMPARED), "kept", "lost HR@10"]
    print_table(["late by", *titles], rows, right=titles)


def _late_by(each: dict[str, Any]) -> str:
    if each["delay"] == "0":
        return "0, the list"
    n = each.get("records")
    return str(each["delay"]) if n is None else f"{n:,} record{'s' if n > 1 else ''}"


def _interval(found: dict[str, float]) -> str:
    return f"{found['mean']:+.4f} [{found['low']:+.4f} {found['high']:+.4f}]"


def _show_segments(segments: dict[str, dict[str, Any]]) -> None:
    say("")
    say("HR@10 by segment (cold users, new items: fewer than 5 events before; head: the fifth with the most events)")
    every = next(iter(segments.values()))
    names = [name for name in every if not (name == "tests" or name.startswith("without ") or _is_late(name))]
    rows = [
        [segment, f"{found['tests']:,}", *(f"{found[name]['hr@10']:.4f}" for name in names)]
        for segment, found in segments.items()
        if found["tests"]
    ]
    titles = ["tests", *(_title(name) for name in names)]
    print_table(["", *titles], rows, right=titles)


def _is_late(name: str) -> bool:
    return name.endswith(" ago")


def _title(name: str) -> str:
    """How a list is called in a table: by short words, so that columns wrap between them."""
    return "the list" if name == SERVED else name.replace("_", "-" if len(name) > _WIDE else " ")
