"""What is said of a user besides events: the value of a record of the `users` topic."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tables.entry_fields import AGE, OBJECT, TEXT, entry_fields

PROFILE_FIELDS: Final[Mapping[str, str]] = {
    "age": AGE,
    "gender": TEXT,
    "location": TEXT,
    "preferences": OBJECT,
    "attributes": OBJECT,
}
"""Every field of a profile, and its kind."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One user's profile.

    No list is made from profiles yet: they are checked where they come in, and kept in their topic.

    Parameters
    ----------
    age
        Whole years.
    gender, location
        As the shop writes them.
    preferences
        Answers of the onboarding, by question.
    attributes
        Whatever else is known.
    """

    age: int | None = None
    gender: str | None = None
    location: str | None = None
    preferences: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def parse_profile(value: bytes) -> Profile:
    """Read a profile; unknown fields are ignored.

    Raises
    ------
    InvalidEvent
        If it is none.

    Examples
    --------
    >>> parse_profile(b'{"age": 31, "preferences": {"genres": ["drama"]}}').preferences
    {'genres': ['drama']}
    """
    return Profile(**entry_fields(value, PROFILE_FIELDS))
