"""What stands in a document: code, run as it is written there, and the names of tests and commands."""

import ast
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import click

from app.cli import cli

ROOT = Path(__file__).parents[1]


def module_of(document: str) -> ModuleType:
    """The module that a document shows, in its only block of Python."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)
    module = ModuleType(Path(document).stem.replace("-", "_"))
    exec(compile(code, document, "exec"), module.__dict__)
    return module


def cells(document: str, n_columns: int, under: str = "") -> list[list[str]]:
    """The rows of the tables of a page that have so many columns, without headings; of what follows a line alone."""
    _, _, text = f"\n{(ROOT / document).read_text('utf-8')}".partition(f"\n{under}")
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in row] for row in rows if len(row) == n_columns]


def quoted(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def is_test(name: str) -> bool:
    """Whether `path::function` names a test that there is."""
    path, _, function = name.partition("::")
    return bool(re.fullmatch(r"tests/[\w/]+\.py", path)) and function in _functions(path)


@cache
def _functions(path: str) -> set[str]:
    if not (ROOT / path).is_file():
        return set()
    parsed = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}


def is_command(line: str) -> bool:
    """Whether a line, `freshet dead-letters list`, names a command that there is."""
    program, *words = line.split()
    found: click.Command | None = cli
    for word in words:
        found = found.commands.get(word) if isinstance(found, click.Group) else None
    return program == "freshet" and found is not None and bool(words)
