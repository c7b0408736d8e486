"""MovieLens sets as GroupLens publishes them: 100k, 1m and the latest formats, in a folder or a zip."""

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from app.replay.columns import ColumnMapping, TableColumns
from app.replay.files import LogFile, plain_file, zip_member
from app.replay.movielens_items import items_1m, items_100k, items_latest
from app.replay.records import CatalogueEntry, EventLog, LogRecord
from models.errors import LogError

_FIELDS = ("user_id", "item_id", "value", "timestamp")
_COLUMNS = TableColumns(_FIELDS, ColumnMapping(event_type="rating", timestamp_unit="s"))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a format keeps what.

    Parameters
    ----------
    ratings, items
        File names.
    separator
        Between the cells of a rating: user, item, rating, Unix seconds.
    header
        First line of the ratings; None where there is none.
    """

    ratings: str
    items: str
    separator: str
    header: str | None


LAYOUT_100K = Layout("u.data", "u.item", "\t", None)
LAYOUT_1M = Layout("ratings.dat", "movies.dat", "::", None)
LAYOUT_LATEST = Layout("ratings.csv", "movies.csv", ",", "userId,movieId,rating,timestamp")
LAYOUTS = {"ml-100k": LAYOUT_100K, "ml-1m": LAYOUT_1M, "ml-latest-small": LAYOUT_LATEST}
"""Format of each set that can be asked for by name."""


class MovieLensLog(EventLog):
    """Ratings in the order of the file, and the movies as catalogue.

    A rating becomes `{"user_id", "item_id", "event_type": "rating", "timestamp", "value"}`.

    Parameters
    ----------
    path
        The folder or zip.
    layout
        Its format; found out when None.
    name
        What to call it; the folder's name when None.
    """

    def __init__(self, path: Path, *, layout: Layout | None = None, name: str | None = None) -> None:
        self._layout, ratings = _locate(path, (layout,) if layout else tuple(LAYOUTS.values()))
        super().__init__(name if name is not None else path.resolve().name.removesuffix(".zip"), path, ratings)

    def __iter__(self) -> Iterator[LogRecord]:
        numbered, separator = self._file.text_lines(), self._layout.separator
        if self._layout.header is not None:
            _, header = next(numbered, (1, ""))
            if header.rstrip("\r\n") != self._layout.header:
                found = header.rstrip("\r\n")[:200]
                raise self._file.error(1, f"the header is {found!r}, not {self._layout.header!r}")
        for _, raw in numbered:
            if line := raw.rstrip("\r\n"):
                yield _COLUMNS.record(line.split(separator))

    def catalogue(self) -> Iterator[CatalogueEntry]:
        """Every movie, in file order.

        Raises
        ------
        LogError
            When the file of movies is missing or one of its rows cannot be read.
        """
        items = _find(self.path, self._layout.items)
        if items is None:
            raise LogError(f"{self.path}: {self._layout.items} is missing, the movies. Unpack the whole set again.")
        if self._layout is LAYOUT_100K:
            return items_100k(items)
        if self._layout is LAYOUT_1M:
            return items_1m(items)
        return items_latest(items, _find(self.path, "tags.csv"))


def layout_of_file(path: Path) -> Layout | None:
    """Format of a MovieLens set of which this is the file of ratings; None if it is something else."""
    name = path.name.removesuffix(".gz")
    for layout in (LAYOUT_100K, LAYOUT_1M):
        if name == layout.ratings:
            return layout
    if name == LAYOUT_LATEST.ratings:
        _, first = next(plain_file(path).lines(), (1, b""))
        if first.decode("utf-8", "replace").strip() == LAYOUT_LATEST.header:
            return LAYOUT_LATEST
    return None


def _locate(path: Path, layouts: tuple[Layout, ...]) -> tuple[Layout, LogFile]:
    if not path.exists():
        raise LogError(f"{path}: no such folder or zip. Check the path.")
    for layout in layouts:
        if ratings := _find(path, layout.ratings):
            return layout, ratings
    wanted = " or ".join(layout.ratings for layout in layouts)
    raise LogError(f"{path}: no {wanted} in it. Give the folder or zip of a MovieLens set as GroupLens publishes it.")


def _find(path: Path, name: str) -> LogFile | None:
    """Find a file of a set, plain or gzip, the one nearest to the top."""
    names = (name, f"{name}.gz")
    if path.is_dir():
        nested = sorted(child for child in path.iterdir() if child.is_dir())
        places = (folder / each for folder in chain((path,), nested) for each in names)
        return next((plain_file(place) for place in places if place.is_file()), None)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if Path(each.filename).name in names]
    except (zipfile.BadZipFile, OSError) as error:
        raise LogError(f"{path}: not a zip that can be read ({error}). Download it again.") from error
    own = [each for each in members if not each.filename.startswith("__MACOSX/")]
    nearest = min(own, key=lambda each: (each.filename.count("/"), each.filename), default=None)
    return zip_member(path, nearest) if nearest else None
