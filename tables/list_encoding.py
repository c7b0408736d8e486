"""Writes the bytes of a published recommendation list; `tables.list_json` says what they are, and reads them."""

import math
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from models.digits import shorten
from models.errors import StateError
from tables.list_json import FORMAT, ListItem, format_version


def encode_list(
    *,
    epoch: int,
    offset: int,
    user_id: str | None,
    namespace: str,
    generated_at_ms: int,
    source: tuple[str, int, int],
    model: str,
    variant: str,
    items: Sequence[ListItem],
    segment: str = "",
    fields: Mapping[str, Any] | None = None,
    revision: int = 0,
) -> bytes:
    """JSON bytes of a list; scores rounded to 6 significant digits. About 15 us for 30 items.

    Parameters
    ----------
    user_id
        None for the lists of segments and the default list.
    source
        Topic, partition and offset of the event that the list was made from.
    segment
        The segment of a list without `user_id`; empty for the default list. It enters `list_id` alone.
    fields
        Item -> what stands as `fields` in it, e.g. an `orjson.Fragment`; None: lists have no such field.
    revision
        Above 0 in lists made anew without an event, and in those that follow them.

    Raises
    ------
    StateError
        If the version does not fit its place, or a score is not finite (JSON has no such numbers).
    """
    version = format_version(epoch, offset, revision)
    try:
        shown = shown_items(items)
    except ValueError:
        worst = next(item for item in items if not math.isfinite(item.score))
        raise StateError(
            f"Item {worst.item_id!r} has score {worst.score} in the list of {user_id!r}: a score must be finite. "
            f"Model {model!r} has diverged; lower its learning rate."
        ) from None
    owner = f"user\0{user_id}" if user_id is not None else f"segment\0{segment}"
    topic, partition, source_offset = source
    if fields is not None:
        for each in shown:
            if (named := fields.get(each["id"])) is not None:
                each["fields"] = named
    return orjson.dumps(
        {
            "v": FORMAT,
            "version": version,
            "user_id": user_id,
            "list_id": blake2b(f"{namespace}\0{owner}\0{version}".encode(), digest_size=8).hexdigest(),
            "generated_at_ms": generated_at_ms,
            "source": {"topic": topic, "partition": partition, "offset": source_offset},
            "model": model,
            "variant": variant,
            "n_own": len([1 for item in items if item[3]]),
            "items": shown,
        }
    )


def shown_items(items: Sequence[ListItem]) -> list[dict[str, Any]]:
    """Items as they stand in JSON, scores rounded.

    Raises
    ------
    ValueError
        If a score is not finite.
    """
    scores = rounded([item[1] for item in items])
    return [
        {"id": item_id, "score": score, "source": source, "because": because}
        for (item_id, _, source, because), score in zip(items, scores, strict=True)
    ]


def rounded(scores: Sequence[float]) -> list[float]:
    """Scores with 6 significant digits.

    Raises
    ------
    ValueError
        If one is not finite.

    >>> rounded([2 / 3, 1e-20 / 3, 1234567.0])
    [0.666667, 3.33333e-21, 1234570.0]
    """
    values = np.array(scores, np.float64)
    if not shorten(values):
        found: list[float] = values.tolist()
        return found
    if not all(map(math.isfinite, scores)):
        raise ValueError(f"a score that is not finite, among {scores}")
    return [float(f"{score:.6g}") for score in scores]
