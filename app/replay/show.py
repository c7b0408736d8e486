"""A replay's result for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.replay.beside import PUBLISHED, published_rates
from models.source_names import HISTORY

PLAIN = (str, int, float)
NOTHING: Mapping[str, dict[str, Any]] = MappingProxyType({})
NOTHING_SCORED: Mapping[str, float] = MappingProxyType({})


def show_result(result: dict[str, Any]) -> None:
    """Print counts and digests line by line, and what the evaluation measured as a table."""
    for name, value in result.items():
        if isinstance(value, PLAIN):
            click.echo(f"{name}: {value}")
        elif name == "counters":
            for counter, n in value.items():
                if n:
                    click.echo(f"{counter}: {n}")
        elif name == "digests":
            for part, text in value.items():
                click.echo(f"digests.{part}: {text}")
        elif name == "settings":
            click.echo(f"settings: {settings_line(value)}")
    if result.get("prequential", {}).get("n"):
        console = Console()
        published = published_rates(result)
        show_quality(console, result["prequential"], result["partitions"], result.get("beside", {}), published)
        if published:
            every = result["published"]["shares_every"]
            console.print(
                f"As published: what people would get, partitions seeing each other every {every:,} records; "
                "`freshet evaluate` says more of it. The list, sources and popularity: the fold's own, of one "
                "partition's events alone, and with several partitions without factors."
            )
        show_ratings(console, result["ratings"])


def settings_line(settings: dict[str, Any]) -> str:
    """The main ones of what shapes the state, on one line; `--json` has all."""
    pairs, rules = settings["cooccurrence"], settings["rules"]
    return ", ".join(
        (
            f"history {pairs['n_history']}",
            f"decay {pairs['decay']}",
            f"exponents {pairs['known_exponent']} and {pairs['candidate_exponent']}",
            f"{pairs['n_keep']} neighbours",
            f"positive from {rules['positive_rating']:g}",
            f"lower ratings {rules['low_rating_weight']}",
            f"evaluated {settings['evaluate_fraction']:g}",
            f"seen {settings['max_seen']}",
        )
    )


def show_quality(
    console: Console,
    measured: dict[str, Any],
    partitions: int = 1,
    beside: Mapping[str, dict[str, Any]] = NOTHING,
    published: Mapping[str, float] = NOTHING_SCORED,
) -> None:
    """Hit rates of the list, of each source and of popularity, and how they went along the log.

    History factors have a row with one partition alone: those of several are the learner's, and the fold has none.

    Parameters
    ----------
    partitions
        In how many it was measured.
    beside
        Hit rates of the list in other numbers of partitions.
    published
        What the published list is worth; empty if it was not scored.
    """
    table = Table(title=f"Prequential: {measured['n']:,} events tested, then learned", title_justify="left")
    for column in ("", "HR@10", "HR@20", "NDCG@10", "MRR@10"):
        table.add_column(column, justify="right" if column else "left")
    behind = f", {_partitions(partitions)}" if beside else ""
    rows: dict[str, Mapping[str, Any]] = {f"the list{behind}": measured}
    if published:
        rows[f"as published{behind}"] = published
    rows |= {name: rates for name, rates in measured["sources"].items() if partitions == 1 or name != HISTORY}
    rows["popularity"] = measured["popularity"]
    for n, theirs in beside.items():
        rows[f"the list, {_partitions(int(n))}"] = theirs
        if served := {of.removeprefix(PUBLISHED): rate for of, rate in theirs.items() if of.startswith(PUBLISHED)}:
            rows[f"as published, {_partitions(int(n))}"] = served
    for name, rates in rows.items():
        cells = [rates.get(rate) for rate in ("hr@10", "hr@20", "ndcg@10", "mrr@10")]
        table.add_row(name.replace("_", "-"), *("" if cell is None else f"{cell:.4f}" for cell in cells))
    console.print(table)
    tested = [block for block in measured["series"] if block["n"]]
    if tested:
        console.print(f"HR@10: {_sparkline([block['hr@10'] for block in tested])}")


def show_ratings(console: Console, errors: dict[str, Any]) -> None:
    """MAE and RMSE of the predicted ratings, if there were any."""
    if errors["n"]:
        console.print(f"Ratings: {errors['n']:,} predicted, then learned: MAE {errors['mae']}, RMSE {errors['rmse']}")


def _partitions(n: int) -> str:
    return "1 partition" if n == 1 else f"{n} partitions"


def _sparkline(rates: list[float], width: int = 50) -> str:
    """Means of equal stretches, drawn as bars from 0 to the greatest, which is named."""
    size = max(1, -(-len(rates) // width))
    means = [sum(rates[at : at + size]) / len(rates[at : at + size]) for at in range(0, len(rates), size)]
    top = max(means) or 1.0
    bars = "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * mean / top))] for mean in means)
    return f"{bars} (top {top:.3f})"
