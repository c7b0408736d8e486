"""The site that `make docs` builds: every link leads somewhere, and nothing is loaded from elsewhere."""

import re
import shutil
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import pytest

from tests.documents import ROOT
from tools.settings_page import PAGE, page

DOCS = ROOT / "docs"
CONFIG = ROOT / "zensical.toml"
LOADED: Final = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href", "use": "href"}
NAMING: Final = {"canonical", "next", "prev", "alternate"}
"""Relations of a `<link>` that fetch nothing."""


class Page(HTMLParser):
    """What a page links to, what it loads, and which anchors it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        of = {name: value or "" for name, value in attrs}
        self.anchors |= {of[name] for name in ("id", "name") if of.get(name)}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        elif of.get(LOADED.get(tag, "")) and of.get("rel") not in NAMING:
            self.loads.append(of[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does, every warning an error."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(CONFIG, folder)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "build" / "site"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page of the site."""
    return {path: Page(path) for path in sorted(site.rglob("*.html")) if path.name != "404.html"}


def _named(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [name for entry in nav for part in (entry.values() if isinstance(entry, dict) else [entry])
            for name in _named(part)]  # fmt: skip


def test_every_page_stands_in_the_navigation() -> None:
    """Once; the decisions by their list."""
    named = _named(tomllib.loads(CONFIG.read_text("utf-8"))["project"]["nav"])
    assert sorted(named) == sorted([path.name for path in DOCS.glob("*.md")] + ["adr/README.md"])


def test_every_decision_stands_in_their_list() -> None:
    """By its number, with a link, in order of the numbers."""
    listed = re.findall(r"^\| \[(\d{4})\]\((\1-[a-z0-9-]+\.md)\) \| ", (DOCS / "adr" / "README.md").read_text(), re.M)
    there = sorted(path.name for path in (DOCS / "adr").glob("0*.md"))
    assert [name for _, name in listed] == there


def test_links_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    """To a file of the site, and to an anchor that its page has."""
    assert len(pages) > 40
    broken = []
    for path, found in pages.items():
        for link in found.links + found.loads:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in known | {"__skip"}):
                broken.append((path.relative_to(site).as_posix(), link))
    assert broken == []


def test_every_block_of_code_is_one(pages: dict[Path, Page]) -> None:
    """None stands in the text because its first line says more than a language and a title."""
    assert [path.name for path in pages if "```" in path.read_text("utf-8")] == []


def test_pages_load_nothing_foreign(site: Path, pages: dict[Path, Page]) -> None:
    """No script, style, picture or font of another host; nothing for which a script would fetch more."""
    foreign = [load for found in pages.values() for load in found.loads if urlsplit(load).netloc]
    assert foreign == []
    styles = "".join(path.read_text("utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"url\(\s*['\"]?(?:https?:)?//[^)]+|@import[^;]+//[^;]+", styles) == []
    on_demand = re.compile(r"class=\"[^\"]*\b(?:mermaid|glightbox|pyodide)\b|data-md-component=\"source\"")
    assert [path.name for path in pages if on_demand.search(path.read_text("utf-8"))] == []


def test_the_page_of_settings_is_made_of_today() -> None:
    """`make docs` would change nothing: `python -m tools.settings_page` after a change of a setting."""
    assert PAGE.read_text("utf-8") == page()
