"""README.md is short, and what it promises has a test."""

import re
import tomllib

from tests.documents import ROOT, is_test
from tools.flow_picture import PICTURE, drawn

TEXT = (ROOT / "README.md").read_text("utf-8")
MAX_WORDS = 900


def test_it_is_read_in_a_few_minutes() -> None:
    """Commands and tables count as well."""
    assert len(TEXT.split()) <= MAX_WORDS


def test_every_guarantee_is_held_by_a_test() -> None:
    """Three, each with the name of at least one test that there is."""
    part = TEXT.split("## Three guarantees")[1].split("\n## ")[0]
    guarantees = re.split(r"^\d\. ", part, flags=re.MULTILINE)[1:]
    assert len(guarantees) == 3
    for guarantee in guarantees:
        named = re.findall(r"`(tests/[^`]+)`", guarantee)
        assert named and [name for name in named if not is_test(name)] == []


def test_links_lead_somewhere() -> None:
    """To files of the repository, or to other sites by TLS."""
    links = re.findall(r"\]\(([^)#]+)", TEXT)
    assert len(links) > 20
    assert [link for link in links if not (link.startswith("https://") or (ROOT / link).is_file())] == []


def test_interpreters_are_those_of_the_package() -> None:
    """The versions that are named, and the one of which something is missing."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    named = sorted({int(minor) for minor in re.findall(r"3\.(1\d)", TEXT)})
    assert asked == f">=3.{named[0]},<3.{named[-1] + 1}"


def test_the_picture_is_what_is_drawn() -> None:
    """`python -m tools.flow_picture` would change nothing."""
    assert PICTURE.read_text("utf-8") == drawn()
