"""What happens when a setting is changed while there is state: refuse, warn, or nothing; declared beside each setting.

    history_size: Annotated[int, Warn("cooccurrence.n_history")] = Field(20, ...)

A setting without such a mark is free: it shapes no state. A mark names what the setting shapes, as the marker of a
checkpoint does (`FoldSettings.described`); `rules.types` stands for all that begins with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic.fields import FieldInfo

OnChange = Literal["refuse", "warn", "free"]


@dataclass(frozen=True, slots=True)
class Warn:
    """What is folded stays as it was made, what comes is made by the new value; both may stand in one state."""

    shapes: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """State made with another value cannot be gone on with.

    Parameters
    ----------
    why
        What would become of it, as the end of a sentence.
    """

    shapes: str
    why: str


def mark_of(field: FieldInfo) -> Warn | Refuse | None:
    """The mark of a setting."""
    return next((mark for mark in field.metadata if isinstance(mark, Warn | Refuse)), None)


def on_change(field: FieldInfo) -> OnChange:
    """What a changed value of a setting leads to where there is state."""
    mark = mark_of(field)
    return "free" if mark is None else "refuse" if isinstance(mark, Refuse) else "warn"


def owner(shaped: str, fields: Mapping[str, FieldInfo]) -> tuple[str, Warn | Refuse] | None:
    """The setting that shapes a part of the state; None if that comes with Freshet itself."""
    for name, field in fields.items():
        mark = mark_of(field)
        if mark is not None and f"{shaped}.".startswith(f"{mark.shapes}."):
            return name, mark
    return None
