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


def test_published_list_is_a_row_below_the_folds_own() -> None:
    """Here with all it measures, of other numbers of partitions with the hit rates that are known."""
    beside = {"1": {"hr@10": 0.2064, "hr@20": None, "published_hr@10": 0.2109, "published_hr@20": 0.3248}}
    published = {"hr@10": 0.1984, "hr@20": 0.3073, "ndcg@10": 0.1, "mrr@10": 0.08, "p@10": 0.02}

    rows = rows_of(4, beside, published)

    assert list(rows)[:2] == ["the list, 4 partitions", "as published, 4 partitions"]
    assert rows["as published, 4 partitions"] == ["0.1984", "0.3073", "0.1000", "0.0800"]
    assert rows["the list, 1 partition"] == ["0.2064", "", "", ""]
    assert rows["as published, 1 partition"] == ["0.2109", "0.3248", "", ""]


def test_nothing_beside_is_the_plain_table() -> None:
    """The row of the list bears no number."""
    assert list(rows_of()) == ["the list", "history", "popularity"]


def test_several_partitions_have_no_row_of_factors() -> None:
    """They are the learner's; the fold of a partition has none, and none to be measured."""
    assert list(rows_of(4)) == ["the list", "popularity"]
