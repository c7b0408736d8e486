"""What types of events are called here, and which are left out."""

from collections.abc import Iterable, Mapping

from app.sources.presets import ALL_OTHERS


class TypeNames:
    """Our names of their types.

    Parameters
    ----------
    ours
        Their type -> our type; empty: it is left out.
    ignored
        Types of theirs that are left out; `*`: all that `ours` lacks.
    """

    def __init__(self, ours: Mapping[str, str], ignored: Iterable[str]) -> None:
        self.ours = dict(ours)
        self.ignored = frozenset(ignored)

    def of(self, theirs: str) -> str | None:
        """Our name of a type: its own if nothing is said of it; None where it is left out."""
        ours = self.ours.get(theirs)
        if theirs in self.ignored or ours == "" or (ours is None and ALL_OTHERS in self.ignored):
            return None
        return theirs if ours is None else ours
