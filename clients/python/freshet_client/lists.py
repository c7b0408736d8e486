"""A recommendation list as a reader gets it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import orjson

from freshet_client.errors import StateError, UnknownVersion

FORMAT: Final = 1
Rung: TypeAlias = Literal["user", "segment", "default"]
_is_version = re.compile(r"\d{6}-\d{16}(?:-\d{8})?", re.ASCII).fullmatch


class ListItem(NamedTuple):
    """One recommended item: who proposed it (`source`), and the user's own items that led to it (`because`)."""

    item_id: str
    score: float
    source: str
    because: list[str]


# What ListItem's constructor does, for all items in C: most of a read's time on this side would go there.
_values_of = itemgetter("id", "score", "source", "because")
_made = partial(tuple.__new__, ListItem)


@dataclass(frozen=True, slots=True)
class RecommendationList:
    """A list.

    Parameters
    ----------
    rung
        Where on the ladder it was found.
    version
        A later list of the same key has a greater one, as text.
    user_id
        None in the lists of segments and in the default list.
    list_id
        Goes back in the context of events that the list led to.
    generated_at_ms
        When it was made, Unix milliseconds UTC.
    source
        Topic, partition and offset of the event that it was made from.
    items
        Best first.
    n_own
        How many of its items the user's own items led to; None in lists of releases that did not say so.
    fields
        Item -> its fields of the catalogue, where the workers' settings name some; items without are left out.
    """

    rung: Rung
    version: str
    user_id: str | None
    list_id: str
    generated_at_ms: int
    source: tuple[str, int, int]
    model: str
    variant: str
    items: tuple[ListItem, ...]
    n_own: int | None = None
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @property
    def item_ids(self) -> list[str]:
        """The items, best first."""
        return [item.item_id for item in self.items]


def decode_list(payload: bytes, rung: Rung) -> RecommendationList:
    """Read a list; unknown fields are ignored.

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
                f'A recommendation list has "v": {value["v"]!r}, and this client reads {FORMAT}. Use the release of '
                "freshet-client that belongs to the workers."
            )
        version, source, items = value["version"], value["source"], value["items"]
        if _is_version(version) is None:
            raise ValueError(f"version {version!r}")
        return RecommendationList(
            rung,
            version,
            value["user_id"],
            value["list_id"],
            value["generated_at_ms"],
            (source["topic"], source["partition"], source["offset"]),
            value["model"],
            value["variant"],
            tuple(map(_made, map(_values_of, items))),
            value.get("n_own"),
            {item["id"]: item["fields"] for item in items if "fields" in item},
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(
            f"No recommendation list: {error!r} in {payload[:80]!r}. Delete the key; its writer makes it anew."
        ) from error
