"""What one check has found."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Parameters
    ----------
    status
        `wrong` needs mending; `note` is worth knowing.
    found
        What is there.
    advice
        What to do; empty if nothing.
    details
        The same in numbers, for programs.
    """

    check: str
    status: Literal["ok", "note", "wrong"]
    found: str
    advice: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
