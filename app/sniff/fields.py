"""The fields of sampled records, and which of them is what, by the names that shops use."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

MAX_DEPTH: Final = 4
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# the best first; compared without case, hyphens and underscores
USER: Final = _names(
    "userid visitorid customerid uid user visitor customer memberid accountid profileid clientid anonymousid "
    "userpseudoid sessionid session reviewerid"
)
ITEM: Final = _names(
    "itemid productid sku asin parentasin movieid aid articleid contentid videoid trackid bookid newsid item product "
    "productids itemids skus"
)
TYPE: Final = _names("eventtype event eventname action behavior behaviour interaction interactiontype type kind")
TIME: Final = _names(
    "timestamp eventtimestamp eventtime ts time occurredat createdat datetime at date unixreviewtime when"
)
EVENT_ID: Final = _names("eventid messageid eventuuid uuid id")
VALUE: Final = _names("rating stars overall ratingvalue")
_INNER: Final = {"user": USER, "visitor": USER, "customer": USER, "item": ITEM, "product": ITEM}

Values = dict[str, list[Any]]
"""Path of a field -> its values in the sample that are neither null nor an object."""


def fields_of(documents: Sequence[Any]) -> Values:
    """Every field of the documents, by its path."""
    found: defaultdict[str, list[Any]] = defaultdict(list)
    for document in documents:
        for path, value in _leaves(document, "", 0):
            found[path].append(value)
    return dict(found)


def arrays_of(documents: Sequence[Any]) -> dict[str, list[list[Any]]]:
    """Every array that has elements, by its path; not those within arrays."""
    return {
        path: arrays
        for path, values in fields_of(documents).items()
        if (arrays := [value for value in values if isinstance(value, list) and value])
    }


def find(values: Values, names: Sequence[str], n_least: int) -> str | None:
    """Path of the field with the best name, in at least `n_least` documents; the least deep, then the first."""
    ranked = [
        (rank, path.count("."), place, path)
        for place, (path, found) in enumerate(values.items())
        if (rank := _rank(path, names)) is not None
        if sum(value != "" and (not isinstance(value, list) or _is_clock(value)) for value in found) >= n_least
    ]
    return min(ranked)[-1] if ranked else None


def _is_clock(value: list[Any]) -> bool:
    """Whether an array may be a time, year first."""
    return 3 <= len(value) <= 7 and all(type(part) is int for part in value)


def _rank(path: str, names: Sequence[str]) -> int | None:
    parts = [_bare(part) for part in path.split(".")]
    if parts[-1] in names:
        return names.index(parts[-1])
    if len(parts) > 1 and parts[-1] in ("id", "key") and _INNER.get(parts[-2]) is names:
        return 0
    return None


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _leaves(document: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    if not isinstance(document, Mapping):
        if document is not None and path:
            yield path, document
        return
    for name, value in document.items():
        inner = f"{path}.{_quoted(str(name))}" if path else _quoted(str(name))
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _leaves(value, inner, depth + 1)
        elif value is not None and not isinstance(value, Mapping):
            yield inner, value


def _quoted(name: str) -> str:
    """A name as JMESPath takes it."""
    if _PLAIN.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
