"""What `model` in a published list stands for: a name of the way lists are made, the same as long as that is the same.

The name is a kind and 8 hex digits over the settings that shape such lists: those of the fold by their dotted names
(`FoldSettings.described`, with `state_version`), those of lists, their length, and `LIST_VERSION`. What only measures
(`evaluate_fraction`), places users (`partitioner`) or says how often and with which words a list goes out is not in it;
nor are weights that were learned, which change all the time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

import orjson

from models.source_names import RATINGS, SOURCE_NAMES
from tables.fold_settings import FoldSettings
from tables.list_settings import ListSettings

LIST_VERSION: Final = 1
"""Raised when the same state and settings make other lists."""

_OF_NO_LIST: Final = ("evaluate_fraction", "partitioner", RATINGS)
# (`ratings.` are the settings of the rating model, and its lists' source has that name: left out unless it counts)
_OF_USERS_ALONE: Final = ("cooccurrence", "history", "following", "lists", RATINGS)  # the filler asks no source


@dataclass(frozen=True, slots=True)
class ListModels:
    """The names in force, and what they are made of.

    Parameters
    ----------
    fold
        What shapes the state.
    lists
        What shapes lists alone.
    list_size
        Items per list.
    """

    fold: FoldSettings
    lists: ListSettings
    list_size: int

    @property
    def shapes(self) -> dict[str, Any]:
        """All that shapes a user's list, by dotted names."""
        weights = {name: self.lists.weight(name) for name in SOURCE_NAMES}
        lists = {
            "list_version": LIST_VERSION,
            "list_size": self.list_size,
            "lists.blend": self.lists.blend,
            "lists.depth": self.lists.depth,
            "lists.look": self.lists.look,
            **{f"lists.weights.{name}": weight for name, weight in weights.items() if weight > 0.0},
        }
        if self.lists.max_per_category:  # lists without it keep the name that they had before there was one
            lists["lists.max_per_category"] = self.lists.max_per_category
        left_out = {name for name in _OF_NO_LIST if name != RATINGS or weights[RATINGS] == 0.0}
        return lists | _without(left_out, self.fold.described())

    @property
    def blend(self) -> str:
        """The model of users' lists: what sources propose, weighed by a blend, with the filler behind."""
        return _named("blend", self.shapes)

    @property
    def filler(self) -> str:
        """The model of the default list: what trends, then what is popular."""
        return _named("filler", _without(_OF_USERS_ALONE, self.shapes))


def _without(left_out: Iterable[str], shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shapes.items() if name.split(".")[0] not in left_out}


def _named(kind: str, shapes: Mapping[str, Any]) -> str:
    return f"{kind}-{sha256(orjson.dumps(shapes, option=orjson.OPT_SORT_KEYS)).hexdigest()[:8]}"
