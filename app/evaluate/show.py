"""An evaluation for people."""

from typing import Any

from app.commands.output import print_table, say
from app.evaluate.report import counts_of, notes_of, tables_of


def show_evaluation(result: dict[str, Any]) -> None:
    """Print what was tested and what was not, then metrics, differences and segments as tables."""
    for line in counts_of(result):
        say(line)
    for table in tables_of(result):
        say("")
        say(table.title)
        print_table(table.columns, table.rows, right=table.columns[1:])
    for line in notes_of(result):
        say("")
        say(line)
