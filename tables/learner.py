"""The one learner of the history factors of all partitions: a pure function of `<app>.interactions` and its settings.

Partitions hand lessons over within their checkpoints; the learner takes them in the order of its topic. Its rows, and
the marker that says which record comes next, are in `<app>.factors`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Final

import numpy as np
import numpy.typing as npt
import orjson

from models.arrays import longer
from models.errors import StateError
from models.history_factors import HistoryFactorsSettings
from models.lessons import LearnerArrays, LearnerNumbers, find_all, learn_lessons, scratch_for_lessons
from tables.codec import check_version, undamaged
from tables.cutting import Entry
from tables.factor_rows import FactorRows, key_of
from tables.fold_settings import FoldSettings
from tables.lessons import Taught, decode_lessons
from tables.marker import MARKER_KEY

MARKER: Final = "the marker of the learner"
MARKER_VERSION: Final = 1
SPARE_PART: Final = 16
"""Where there are too many items, so many-th of them make room at once."""


@dataclass(frozen=True, slots=True)
class LearnerMarker:
    """Where the learner stands.

    Parameters
    ----------
    position
        The next record of `<app>.interactions`.
    n_lessons
        Lessons learned.
    taken
        By partition of `user_events`: lessons of events below this offset are learned, and dropped if they come again.
    """

    position: int = 0
    n_lessons: int = 0
    taken: Mapping[int, int] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Version byte and JSON."""
        taken = sorted(self.taken.items())
        return bytes((MARKER_VERSION,)) + orjson.dumps({**asdict(self), "taken": taken}, option=orjson.OPT_SORT_KEYS)

    @classmethod
    def decode(cls, data: bytes) -> "LearnerMarker":
        """Read a stored marker.

        Raises
        ------
        UnknownVersion, StateError
            If the bytes are of another version, or damaged.
        """
        check_version(data, MARKER_VERSION, MARKER)
        with undamaged(MARKER):
            stored = orjson.loads(data[1:])
            return cls(**{**stored, "taken": dict(stored["taken"])})


class LearnerState:
    """What the learner knows: rows, how many lessons it has had, and where it stands.

    Parameters
    ----------
    settings
        Of the fold: the factor model's, and `max_items`: there are no more rows, but for those that one record adds.
    """

    def __init__(self, settings: FoldSettings) -> None:
        self.rows = FactorRows(settings.history)
        self.position = 0
        self.n_lessons = 0
        self.taken: dict[int, int] = {}
        self._settings = model = settings.history
        self._max_items = settings.max_items
        self._numbers = numbers_of(model)
        self._scratch = scratch_for_lessons(model.n_factors, model.n_negatives, model.n_history)
        self._dirty: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self._gone: dict[int, None] = {}

    def take(self, value: bytes | None) -> int:
        """Learn what one record teaches; lessons that were taken before are dropped. Returns how many were learned.

        Raises
        ------
        UnknownVersion, StateError
            If the record is of another version, damaged, or of another length of history.
        """
        taught = decode_lessons(value or b"")
        taught = taught.since(self.taken.get(taught.partition, 0))
        n = len(taught.offsets)
        if n == 0:
            return 0
        if int(taught.lengths.max()) > 1 + self._settings.n_history:
            raise StateError(
                f"a lesson has a history of {int(taught.lengths.max()) - 1} items, this Freshet learns from "
                f"{self._settings.n_history}: it was handed over with other settings. Run `freshet reset`."
            )
        slots = self._slots_of(taught)
        factors = self.rows.factors
        by_slot = factors.rows, factors.live, factors.hashes, factors.n_range, self._dirty, self.rows.last
        learn_lessons(
            taught.lengths,
            taught.weights,
            taught.items,
            taught.amounts,
            slots,
            self.n_lessons,
            LearnerArrays(*by_slot),
            self._numbers,
            self._scratch,
        )
        self.n_lessons += n
        self.taken[taught.partition] = int(taught.offsets[-1]) + 1
        return n

    def _slots_of(self, taught: Taught) -> npt.NDArray[np.int32]:
        """The slots of a record's items; new ones get theirs in the order in which they stand there."""
        found = np.empty(len(taught.items), np.int32)
        while find_all(*self.rows.indexed, taught.items, found):
            new = list(dict.fromkeys(taught.items[found < 0].tolist()))
            if self.rows.slots and len(self.rows) + len(new) > self._max_items:
                self._make_room(len(new))  # and look again: items of this very record may have gone
                continue
            for item_hash in new:
                self._gone.pop(item_hash, None)
                slot = self.rows.add(item_hash)
                if slot >= len(self._dirty):
                    self._dirty = longer(self._dirty, len(self.rows.last))
                self._dirty[slot] = True
        return found

    def _make_room(self, n: int) -> None:
        """Forget the items that have been no target for longest, ties by slot."""
        n = max(n, self._max_items // SPARE_PART)
        live = np.flatnonzero(self.rows.factors.live[: self.rows.n_slots])
        for slot in live[np.lexsort((live, self.rows.last[live]))[:n]].tolist():
            item_hash = int(self.rows.factors.hashes[slot])
            self.rows.remove(item_hash)
            self._dirty[slot] = False
            self._gone[item_hash] = None

    def take_changed(self) -> list[Entry]:
        """The rows that changed since the last call, None for those that are gone."""
        gone: list[Entry] = [(key_of(item_hash).encode(), None) for item_hash in self._gone]
        slots = np.flatnonzero(self._dirty).tolist()
        hashes = self.rows.factors.hashes
        self._dirty[:], self._gone = False, {}
        return gone + [(key_of(int(hashes[slot])).encode(), self.rows.encode(slot)) for slot in slots]

    def cut(self) -> list[Entry]:
        """Everything that changed since the last cut, and the marker that belongs to it."""
        return [*self.take_changed(), (MARKER_KEY, self.marker().encode())]

    def marker(self) -> LearnerMarker:
        """Where it stands."""
        return LearnerMarker(self.position, self.n_lessons, dict(self.taken))

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Take one record of `<app>.factors`; `finish_load` comes after the last."""
        if key != MARKER_KEY:
            self.rows.apply(key.decode(), value)
        elif value is not None:
            marker = LearnerMarker.decode(value)
            self.position, self.n_lessons, self.taken = marker.position, marker.n_lessons, dict(marker.taken)

    def finish_load(self) -> None:
        """Put the loaded parts in order."""
        self.rows.finish_load()
        self._dirty = np.zeros(len(self.rows.last), np.bool_)

    def digest(self) -> str:
        """SHA-256 over rows, slots and counts: what two learners of one topic must agree on, bit for bit."""
        found = {"rows": self.rows.canonical(), "n_lessons": self.n_lessons, "taken": sorted(self.taken.items())}
        return sha256(orjson.dumps(found, option=orjson.OPT_SORT_KEYS)).hexdigest()


def numbers_of(model: HistoryFactorsSettings) -> LearnerNumbers:
    """The settings of the factor model as the learner's kernel takes them."""
    return LearnerNumbers(
        seed=model.seed_key,
        n_factors=model.n_factors,
        n_negatives=model.n_negatives,
        decay=model.decay,
        max_weight=model.max_weight,
        learning_rate=model.learning_rate,
        round_to=model.round_to,
    )
