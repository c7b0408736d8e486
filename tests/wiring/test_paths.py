"""docs/paths.md names files that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_is_there() -> None:
    """Each path in backticks, whether of a file or a folder."""
    text = (ROOT / "docs" / "paths.md").read_text()
    paths = re.findall(r"`((?:app|agents|tables|models)/[\w/.]+)`", text)
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).exists()] == []
