"""A replay's result for people."""

from io import StringIO
from typing import Any

from rich.console import Console

from app.replay.show import show_quality

RATES = {"hr@10": 0.1769, "hr@20": 0.2757}
MEASURED: dict[str, Any] = {
    "n": 500,
    **RATES,
    "ndcg@10": 0.09,
    "mrr@10": 0.07,
    "sources": {"history": RATES},
    "popularity": RATES,
    "series": [],
}


def rows_of(*arguments: Any) -> dict[str, list[str]]:
    """Cells of the table by the name of their row."""
    console = Console(file=StringIO(), width=100)
    show_quality(console, MEASURED, *arguments)
    assert isinstance(console.file, StringIO)
    lines = [line.split("│")[1:-1] for line in console.file.getvalue().splitlines() if "│" in line]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def test_hit_rates_of_other_numbers_of_partitions_are_rows() -> None:
    """Each says how many; the others have hit rates alone."""
    rows = rows_of(4, {"1": {"hr@10": 0.2064, "hr@20": None}})

    assert rows["the list, 4 partitions"] == ["0.1769", "0.2757", "0.0900", "0.0700"]
    assert rows["the list, 1 partition"] == ["0.2064", "", "", ""]


def test_nothing_beside_is_the_plain_table() -> None:
    """The row of the list bears no number."""
    assert list(rows_of()) == ["the list", "history", "popularity"]
