"""Who holds which partition and how far it is, from the JSON lines that workers print."""

from collections.abc import Mapping
from typing import Any

OWNING = frozenset({"loaded", "kept"})


class Tracker:
    """What the lines of all workers together say.

    `reached` never falls back: it is how far a partition has been folded at least once. `refolded` counts the records
    that a new owner folded again: from where its checkpoint stood to where the last owner was last seen. That one may
    have been further by what it folds between two lines, so it is a lower bound.
    """

    def __init__(self) -> None:
        self.owners: dict[int, int] = {}
        self.folded: dict[int, int] = {}
        self.reached: dict[int, int] = {}
        self.moving: set[int] = set()
        self.refolded = 0

    @property
    def n_reached(self) -> int:
        """Records folded at least once."""
        return sum(self.reached.values())

    def take(self, pid: int, line: Mapping[str, Any]) -> None:
        """Take one line of one worker; lines of other events change nothing."""
        kind = line.get("event")
        if kind in OWNING:
            self._own(pid, int(line["partition"]), int(line["next_offset"]))
        elif kind == "assigned":  # a worker that does not say where it begins
            self.owners |= dict.fromkeys(map(int, line["partitions"]), pid)
        elif kind == "revoked":
            self._give_back(pid, {int(number) for number in line["partitions"]})
        elif kind == "progress":
            self._progress(pid, {int(number): int(offset) for number, offset in line["partitions"].items()})

    def gone(self, pid: int) -> None:
        """A worker has ended."""
        self._give_back(pid, set(self.owners))
        self.moving.discard(pid)

    def owning(self) -> list[int]:
        """The workers that hold partitions, in order; only those at work if there are any."""
        owning = set(self.owners.values())
        return sorted(owning & self.moving or owning)

    def _own(self, pid: int, number: int, next_offset: int) -> None:
        self.refolded += max(0, self.folded.get(number, 0) - next_offset)
        self.owners[number] = pid
        self.folded[number] = next_offset
        self.reached[number] = max(self.reached.get(number, 0), next_offset)

    def _give_back(self, pid: int, numbers: set[int]) -> None:
        self.owners = {number: owner for number, owner in self.owners.items() if owner != pid or number not in numbers}

    def _progress(self, pid: int, offsets: Mapping[int, int]) -> None:
        before = self.n_folded_by(pid)
        for number, offset in offsets.items():
            if self.owners.get(number) == pid:
                self.folded[number] = offset
                self.reached[number] = max(self.reached.get(number, 0), offset)
        if self.n_folded_by(pid) > before:
            self.moving.add(pid)
        else:
            self.moving.discard(pid)

    def n_folded_by(self, pid: int) -> int:
        """Sum of the offsets at which a worker's partitions stand."""
        return sum(self.folded.get(number, 0) for number, owner in self.owners.items() if owner == pid)
