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
        ]
        print_table(["", *_TITLES], rows, right=_TITLES)
    _show_differences(result["differences"])
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
    metrics = ("hr@10", "hr@20", "ndcg@10")
    rows = [[_title(name), *(_interval(found[metric]) for metric in metrics)] for name, found in differences.items()]
    titles = [metric.upper() for metric in metrics]
    print_table(["less", *titles], rows, right=titles)


def _interval(found: dict[str, float]) -> str:
    return f"{found['mean']:+.4f} [{found['low']:+.4f} {found['high']:+.4f}]"


def _show_segments(segments: dict[str, dict[str, Any]]) -> None:
    say("")
    say("HR@10 by segment (cold users, new items: fewer than 5 events before; head: the fifth with the most events)")
    every = next(iter(segments.values()))
    names = [name for name in every if not (name == "tests" or name.startswith("without ") or name.endswith(" ago"))]
    rows = [
        [segment, f"{found['tests']:,}", *(f"{found[name]['hr@10']:.4f}" for name in names)]
        for segment, found in segments.items()
        if found["tests"]
    ]
    titles = ["tests", *(_title(name) for name in names)]
    print_table(["", *titles], rows, right=titles)


def _title(name: str) -> str:
    """How a list is called in a table: by short words, so that columns wrap between them."""
    if name.endswith(" ago"):
        return f"of {name}"
    return "the list" if name == SERVED else name.replace("_", "-" if len(name) > _WIDE else " ")
