"""The bytes of a published recommendation list (a public contract).

One JSON object. It begins with `{"v":1,"version":"<epoch, 6 digits>-<offset, 16 digits>`, so that these 23 bytes lie
in bytes `VERSION_START` to `VERSION_END` of every list. A list that was made anew without an event has a revision above
0, and its version goes on with `-<revision, 8 digits>`, up to `REVISION_END`; a version without one is of revision 0. A
server compares two lists by these bytes, as strings, without parsing JSON and without rounding offsets above 2^53: a
version is greater than what it begins with.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

from models.errors import StateError, UnknownVersion

FORMAT: Final = 1
VERSION_START: Final = len(b'{"v":1,"version":"')
VERSION_END: Final = VERSION_START + 6 + 1 + 16
REVISION_END: Final = VERSION_END + 1 + 8
MAX_EPOCH: Final = 10**6 - 1
MAX_OFFSET: Final = 10**16 - 1
MAX_REVISION: Final = 10**8 - 1
_VERSION: Final = re.compile(r"(\d{6})-(\d{16})(?:-(\d{8}))?", re.ASCII)
_BEGINNING: Final = re.compile(rb'\{"v":\d,"version":"(\d{6}-\d{16}(?:-\d{8})?)"')


class ListItem(NamedTuple):
    """One recommended item: who proposed it (`source`), and the user's own items that led to it (`because`)."""

    item_id: str
    score: float
    source: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecommendationList:
    """A list as a reader gets it; `user_id` is None in the lists of segments and in the default list.

    Parameters
    ----------
    n_own
        How many of its items the user's own items led to (`because`); None in lists of releases that did not say so.
    fields
        Item -> its fields of the catalogue, where the workers' `list_fields` names some; items without are left out.
    revision
        How often the lists of its partition had been made anew without an event.
    """

    epoch: int
    offset: int
    user_id: str | None
    list_id: str
    generated_at_ms: int
    source: tuple[str, int, int]
    model: str
    variant: str
    items: tuple[ListItem, ...]
    n_own: int | None = None
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    revision: int = 0

    @property
    def version(self) -> str:
        """Epoch, offset and revision as they stand in the bytes; later versions compare greater, as strings."""
        return format_version(self.epoch, self.offset, self.revision)


def format_version(epoch: int, offset: int, revision: int = 0) -> str:
    """Version of a list: epoch in 6 digits, offset in 16 and, above 0, revision in 8.

    Raises
    ------
    StateError
        If a number does not fit, because a wider one would compare wrongly.
    """
    if not (0 <= epoch <= MAX_EPOCH and 0 <= offset <= MAX_OFFSET and 0 <= revision <= MAX_REVISION):
        raise StateError(
            f"A list's version cannot hold epoch {epoch}, offset {offset} and revision {revision}: allowed are 0 to "
            f"{MAX_EPOCH}, 0 to {MAX_OFFSET} and 0 to {MAX_REVISION}. Check the topic's offsets; `freshet reset` "
            "raises the epoch by one and begins with revision 0."
        )
    return f"{epoch:06d}-{offset:016d}-{revision:08d}" if revision else f"{epoch:06d}-{offset:016d}"


def version_of(payload: bytes) -> bytes:
    """Version bytes of an encoded list, without parsing it.

    Raises
    ------
    StateError
        If the bytes do not begin as a list does.
    """
    found = _BEGINNING.match(payload)
    if found is None:
        raise StateError(
            f"No recommendation list: it begins with {payload[:VERSION_END]!r}, where "
            '{"v":1,"version":"<6 digits>-<16 digits>" or "<6 digits>-<16 digits>-<8 digits>" is needed. Build lists '
            "with encode_list."
        )
    return found[1]


def decode_list(payload: bytes) -> RecommendationList:
    """Read a list; fields that this version does not know are ignored.

    Raises
    ------
    UnknownVersion
        If "v" is not 1.
    StateError
        If the bytes are no list.
    """
    try:
        value: dict[str, Any] = orjson.loads(payload)
        if value["v"] != FORMAT:
            raise UnknownVersion(
                f'A recommendation list has "v": {value["v"]!r}, and this Freshet reads {FORMAT}. '
                "Use the release that wrote it, or a newer one."
            )
        matched = _VERSION.fullmatch(value["version"])
        if matched is None:
            raise ValueError(f"version {value['version']!r}")
        epoch, offset, revision = (int(part or 0) for part in matched.groups())
        source = value["source"]
        return RecommendationList(
            epoch=epoch,
            offset=offset,
            user_id=value["user_id"],
            list_id=value["list_id"],
            generated_at_ms=value["generated_at_ms"],
            source=(source["topic"], source["partition"], source["offset"]),
            model=value["model"],
            variant=value["variant"],
            items=tuple(
                ListItem(item["id"], item["score"], item["source"], tuple(item["because"])) for item in value["items"]
            ),
            n_own=value.get("n_own"),
            fields={item["id"]: item["fields"] for item in value["items"] if "fields" in item},
            revision=revision,
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"No recommendation list: {error!r} in {payload[:80]!r}. Delete the key; its writer makes it anew."
        ) from error
