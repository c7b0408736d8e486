"""The movies of a MovieLens set as catalogue entries."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

import orjson

from app.replay.files import LogFile
from app.replay.records import CatalogueEntry

# fmt: off
GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)
# fmt: on
"""Genres of the 100k set in the order of their flags."""

MAX_TAGS = 20
"""Tags kept per movie: those that most people gave."""

_FIXED_COLUMNS = 5
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(r"(\d{1,2})-([A-Z][a-z]{2})-(\d{4})", re.ASCII)
_YEAR = re.compile(r"\((\d{4})\)\s*$", re.ASCII)
_NO_GENRES = "(no genres listed)"


def items_100k(file: LogFile) -> Iterator[CatalogueEntry]:
    """Entries of `u.item`: id, title, release date, video release date, address, 19 genre flags, in Latin-1."""
    n_columns = _FIXED_COLUMNS + len(GENRES_100K)
    for number, line in file.text_lines("latin-1"):
        text = line.rstrip("\r\n")
        if not text:
            continue
        cells = text.split("|")
        if len(cells) != n_columns:
            raise file.error(number, f"{len(cells)} cells between | where a movie has {n_columns}")
        item_id, title, released, _, address = cells[:_FIXED_COLUMNS]
        flags = zip(GENRES_100K, cells[_FIXED_COLUMNS:], strict=True)
        genres = [genre for genre, flag in flags if flag == "1" and genre != "unknown"]
        attributes = _year(title)
        if released:
            attributes["release_date"] = _iso_date(released)
        if address:
            attributes["imdb_url"] = address
        yield _entry(item_id, title, genres, [], attributes)


def items_1m(file: LogFile) -> Iterator[CatalogueEntry]:
    """Entries of `movies.dat`: id, title, genres between |; in Latin-1, between ::."""
    for number, line in file.text_lines("latin-1"):
        text = line.rstrip("\r\n")
        if not text:
            continue
        cells = text.split("::")
        if len(cells) != 3:
            raise file.error(number, f"{len(cells)} cells between :: where a movie has 3")
        item_id, title, genres = cells
        yield _entry(item_id, title, [genre for genre in genres.split("|") if genre], [], _year(title))


def items_latest(movies: LogFile, tags: LogFile | None) -> Iterator[CatalogueEntry]:
    """Entries of `movies.csv` (movieId, title, genres between |), with the tags that people gave in `tags.csv`."""
    tags_of = _popular_tags(tags) if tags else {}
    for item_id, title, genres in _rows(movies, "movieId,title,genres"):
        categories = [genre for genre in genres.split("|") if genre and genre != _NO_GENRES]
        yield _entry(item_id, title, categories, tags_of.get(item_id, []), _year(title))


def _popular_tags(file: LogFile) -> dict[str, list[str]]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for _, item_id, tag, _ in _rows(file, "userId,movieId,tag,timestamp"):
        if spelled := " ".join(tag.casefold().split()):
            counts[item_id][spelled] += 1
    return {
        item_id: sorted(of_item, key=lambda tag: (-of_item[tag], tag))[:MAX_TAGS] for item_id, of_item in counts.items()
    }


def _rows(file: LogFile, header: str) -> Iterator[list[str]]:
    reader = csv.reader((line for _, line in file.text_lines()), strict=True)
    names = header.split(",")
    try:
        found = next(reader, [])
        if found != names:
            raise file.error(1, f"the header is {','.join(found)[:200]!r}, not {header!r}")
        for row in reader:
            if row and len(row) != len(names):
                raise file.error(reader.line_num, f"{len(row)} cells where the header has {len(names)}")
            if row:
                yield row
    except csv.Error as error:
        raise file.error(reader.line_num, f"not a row of CSV ({error})") from error


def _entry(
    item_id: str, title: str, categories: list[str], tags: list[str], attributes: dict[str, object]
) -> CatalogueEntry:
    entry: dict[str, object] = {"title": title, "categories": categories, "tags": tags, "attributes": attributes}
    return CatalogueEntry(item_id, orjson.dumps(entry))


def _year(title: str) -> dict[str, object]:
    match = _YEAR.search(title)
    return {"year": int(match[1])} if match else {}


def _iso_date(text: str) -> str:
    """Return 1995-01-31 for 31-Jan-1995, anything else as it is."""
    match = _DATE.fullmatch(text)
    if match is None or match[2] not in _MONTHS:
        return text
    return f"{match[3]}-{_MONTHS.index(match[2]) + 1:02d}-{int(match[1]):02d}"
