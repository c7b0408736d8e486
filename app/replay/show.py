"""A replay's result for people."""

from typing import Any

import click
from rich.console import Console
from rich.table import Table

PLAIN = (str, int, float)


def show_result(result: dict[str, Any]) -> None:
    """Print counts and digests line by line, and what the evaluation measured as a table."""
    for name, value in result.items():
        if isinstance(value, PLAIN):
            click.echo(f"{name}: {value}")
        elif name == "digests":
            for part, text in value.items():
                click.echo(f"digests.{part}: {text}")
    if result.get("prequential", {}).get("n"):
        console = Console()
        show_quality(console, result["prequential"])
        show_ratings(console, result["ratings"])


def show_quality(console: Console, measured: dict[str, Any]) -> None:
    """Hit rates of the list, of each source and of popularity, and how they went along the log."""
    table = Table(title=f"Prequential: {measured['n']:,} events tested, then learned", title_justify="left")
    for column in ("", "HR@10", "HR@20", "NDCG@10", "MRR@10"):
        table.add_column(column, justify="right" if column else "left")
    rows = {"the list": measured, **measured["sources"], "popularity": measured["popularity"]}
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


def _sparkline(rates: list[float], width: int = 50) -> str:
    """Means of equal stretches, drawn as bars from 0 to the greatest, which is named."""
    size = max(1, -(-len(rates) // width))
    means = [sum(rates[at : at + size]) / len(rates[at : at + size]) for at in range(0, len(rates), size)]
    top = max(means) or 1.0
    bars = "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * mean / top))] for mean in means)
    return f"{bars} (top {top:.3f})"
