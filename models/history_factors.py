"""History factors: an online softmax model of the next item over each user's last interactions, in bounded rows.

Every item has one vector v, used both as history and as candidate, and a bias b:

    u = sum over history h of share_h * v_h,   share_h = weight_h * decay^(steps back), normed to sum 1
    p(j | history) = exp(u . v_j + b_j) / sum over candidates

Each interaction is one step of Adagrad on -log p(item), the sum taken over the item and sampled others that the user
has not seen (sampled softmax: Jean et al., doi:10.3115/v1/P15-1001; item to item with one matrix: Kabbur et al., FISM,
doi:10.1145/2487575.2487589). Start vectors come from the item's hash, samples from a counter: nothing is shared.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import history_kernels as kernels
from models.arrays import longer
from models.errors import StateError

_SEED_STEP = 0xD1B54A32D192ED03
_MASK = 2**64 - 1


@dataclass(frozen=True, slots=True)
class HistoryFactorsSettings:
    """What shapes the factors; the defaults were found on the first 30 % of MovieLens 100k.

    Strict HR@10 / HR@20 over the whole log, ratings below 4 weighted .5: .2015 / .3135 (32 factors: .1989 / .3111).

    Parameters
    ----------
    n_factors
        Length of a vector, a multiple of 8.
    n_history
        Interactions of a user that count, the last ones.
    decay
        Weight per step back.
    learning_rate
        Of Adagrad.
    start_scale
        Start factors are uniform in plus or minus this.
    start_accumulator
        Where the sums of squared gradients start.
    n_negatives
        Items drawn per interaction.
    round_to
        Negatives below this probability move by this much or not at all, right on average: fewer rows change.
    max_weight
        Interactions of greater weight count as this.
    seed
        Of the drawn items.
    """

    n_factors: int = 64
    n_history: int = 20
    decay: float = 0.85
    learning_rate: float = 0.1
    start_scale: float = 0.3
    start_accumulator: float = 1e-3
    n_negatives: int = 100
    round_to: float = 0.1
    max_weight: float = 4.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, legal, allowed in (
            ("n_factors", self.n_factors >= 8 and self.n_factors % 8 == 0, "a multiple of 8, e.g. 64"),
            ("n_history", self.n_history >= 1, "1 or more, e.g. 20"),
            ("decay", 0.0 < self.decay <= 1.0, "above 0, at most 1, e.g. 0.85"),
            ("learning_rate", 0.0 < self.learning_rate <= 1.0, "above 0, at most 1, e.g. 0.1"),
            ("start_scale", 0.0 < self.start_scale <= 1.0, "above 0, at most 1, e.g. 0.3"),
            ("start_accumulator", 1e-9 <= self.start_accumulator <= 1.0, "1e-9 to 1, e.g. 0.001"),
            ("n_negatives", 1 <= self.n_negatives <= 10_000, "1 to 10000, e.g. 100"),
            ("round_to", 0.0 <= self.round_to < 1.0, "0 (off) to below 1, e.g. 0.1"),
            ("max_weight", 0.0 < self.max_weight <= 100.0, "above 0, at most 100, e.g. 4"),
        ):
            if not legal:
                raise ValueError(f"{name} has value {getattr(self, name)!r}. Use {allowed}.")

    @property
    def seed_key(self) -> np.uint64:
        """Where the numbers of the drawn items start."""
        return np.uint64((self.seed * _SEED_STEP) & _MASK)


class HistoryFactors:
    """Rows of factors by slot; what an event changes are the rows of its item, its history and a few others.

    `models.fold_kernel` learns them. An item scores high after itself: readers leave seen items out.
    Items are drawn from slots 0 to the highest that holds one, so slots must be given out the same way after a load,
    the lowest free one first.

    Parameters
    ----------
    settings
        What shapes the factors.
    learned
        Whether there are rows; otherwise it is only known which slots are live, and nothing is proposed.

    Attributes
    ----------
    n_factors, n_history
        Length of a vector, and interactions that count; 0 without rows.
    """

    def __init__(self, settings: HistoryFactorsSettings | None = None, *, learned: bool = True) -> None:
        self.settings = settings = settings or HistoryFactorsSettings()
        self.n_factors, self.n_history = (settings.n_factors, settings.n_history) if learned else (0, 0)
        self.n_columns = settings.n_factors + kernels.N_EXTRA if learned else 0
        self.rows: npt.NDArray[np.float32] = np.zeros((64, self.n_columns), np.float32)
        self.blocks: npt.NDArray[np.float32] = _blocks(self.n_factors, 64)
        self.stale: npt.NDArray[np.bool_] = np.ones(64, np.bool_)  # columns that lag behind their rows
        self.live: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)
        self.hashes: npt.NDArray[np.uint64] = np.zeros(64, np.uint64)
        self.n_range: npt.NDArray[np.int64] = np.zeros(1, np.int64)  # the highest slot with an item + 1

    @property
    def row_bytes(self) -> int:
        """Length of every encoded row."""
        return 4 * self.n_columns

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        if n_slots > len(self.rows):
            size = max(n_slots, 2 * len(self.rows))
            self.rows = longer(self.rows, size)
            self.live = longer(self.live, size)
            self.hashes = longer(self.hashes, size)
            self.blocks = _blocks(self.n_factors, size)
            self.stale = np.ones(size, np.bool_)

    def start(self, slot: int, item_hash: int) -> None:
        """Give a slot to an item: factors drawn from its 64-bit hash (not 0), no bias."""
        self._place(slot, item_hash)
        if not self.n_factors:
            return
        settings = self.settings
        kernels.start_row(
            self.rows[slot],
            settings.n_factors,
            np.uint64(item_hash),
            settings.start_scale,
            settings.start_accumulator,
        )

    def clear(self, slot: int) -> None:
        """Forget a slot; it is drawn and scored no more."""
        if slot < len(self.rows):
            self.rows[slot] = 0.0
            self.stale[slot] = True
            self.live[slot] = False
            self.hashes[slot] = 0
            while self.n_range[0] and not self.live[self.n_range[0] - 1]:
                self.n_range[0] -= 1

    def encode_row(self, slot: int) -> bytes:
        """All there is about a slot: little-endian float32 factors, bias, three sums of squared gradients."""
        data: bytes = self.rows[slot].astype("<f4", copy=False).tobytes()
        return data

    def set_row(self, slot: int, item_hash: int, data: bytes) -> None:
        """Take a stored row.

        Raises
        ------
        StateError
            If it has another length than this number of factors makes, or holds what no learning can have made.
        """
        if len(data) != self.row_bytes:
            raise StateError(
                f"A row of factors has {len(data)} bytes, not {self.row_bytes}: it was stored with another n_factors "
                f"than {self.settings.n_factors}. Set it back, or start from an empty state."
            )
        row = np.frombuffer(data, "<f4").astype(np.float32)
        factors, sums = row[: self.settings.n_factors + 1], row[self.settings.n_factors + 1 :]
        if not (np.abs(factors) <= kernels.MAX_FACTOR).all() or not ((sums > 0.0) & np.isfinite(sums)).all():
            raise StateError(f"The row of factors of slot {slot} is damaged. Load the state from its topic again.")
        self._place(slot, item_hash)
        self.rows[slot] = row

    def _place(self, slot: int, item_hash: int) -> None:
        self.grow(slot + 1)
        self.live[slot] = True
        self.stale[slot] = True
        self.hashes[slot] = item_hash
        self.n_range[0] = max(int(self.n_range[0]), slot + 1)


def _blocks(n_factors: int, n_slots: int) -> npt.NDArray[np.float32]:
    """Columns for so many slots, in blocks that lie together: they are read from front to end."""
    return np.zeros(((n_slots + kernels.BLOCK - 1) // kernels.BLOCK, n_factors + 1, kernels.BLOCK), np.float32)
