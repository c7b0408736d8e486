"""What one check has found."""

from dataclasses import dataclass
from typing import Literal


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
    """

    check: str
    status: Literal["ok", "note", "wrong"]
    found: str
    advice: str = ""
