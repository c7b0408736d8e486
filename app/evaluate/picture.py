"""A picture of an evaluation: a PNG, or one page of HTML with the picture and the tables in it."""

import re
from html import escape
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from app.evaluate.files import refuse_unwritable, whole_file
from app.evaluate.report import Table, counts_of, notes_of, tables_of
from models.errors import LogError, SettingsError

FLAG: Final = "--picture"
FORMS: Final = (".html", ".png")

_STYLE: Final = """
body { margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #22303c; background: #fff;
  font: 15px/1.5 system-ui, sans-serif; }
svg { width: 100%; height: auto; display: block; }
p { margin: .2rem 0; color: #5d6b78; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: .25rem .7rem; text-align: right; white-space: nowrap; border-bottom: 1px solid #e4e9ed; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
thead th { color: #5d6b78; font-weight: 600; }
tbody th { font-weight: 400; }
"""


def refuse_picture(path: Path) -> None:
    """Refuse what cannot become a picture, before hours of work.

    Raises
    ------
    SettingsError
        For a file of another kind.
    LogError
        If it cannot be written, or if matplotlib is not installed.
    """
    if path.suffix.lower() not in FORMS:
        raise SettingsError(f"{FLAG} {path}: the name says which picture: end it with {' or '.join(FORMS)}.")
    refuse_unwritable(FLAG, path)
    try:
        import_module("matplotlib")
    except ImportError as error:
        raise LogError(f"{FLAG} needs matplotlib, which is not installed: pip install 'freshet[plots]'.") from error


def write_picture(result: dict[str, Any], path: Path) -> bool:
    """Write the picture of an evaluation; the file appears complete or not at all, and not without tests.

    Raises
    ------
    LogError
        If it cannot be written.
    """
    if not result["tests"]:
        return False
    from app.evaluate.draw import draw

    with whole_file(FLAG, path) as file:
        if path.suffix.lower() == ".png":
            draw(result, file, "png")
        else:
            svg = BytesIO()
            draw(result, svg, "svg")
            file.write(page(result, svg.getvalue().decode()).encode())
    return True


def page(result: dict[str, Any], svg: str) -> str:
    """One file of HTML that asks for nothing else: the picture as it is, then what was counted, and the tables."""
    title = escape(f"{result['log']}: freshet evaluate")
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            _inlined(svg, title),
            *(f"<p>{escape(line)}</p>" for line in (*counts_of(result), *notes_of(result))),
            *map(_table, tables_of(result)),
            "</body>\n</html>\n",
        ]
    )


def _inlined(svg: str, title: str) -> str:
    """The element alone, without the head and the description of a file, named for who cannot see it."""
    element = re.sub(r"\s*<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], count=1, flags=re.DOTALL)
    return element.replace("<svg", f'<svg role="img" aria-label="{title}"', 1)


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    rows = [
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for first, *cells in table.rows
    ]
    body = "\n".join(rows)
    return (
        f"<h2>{escape(table.title)}</h2>\n"
        f"<div><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>"
    )
