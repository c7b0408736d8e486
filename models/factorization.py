"""Incremental biased matrix factorization: learns ratings one by one, and predicts them.

    prediction = mean + bias of the user + bias of the item + <factors of the user, factors of the item>

learned by stochastic gradient descent on the squared error, one step per rating (A. Paterek, KDD Cup 2007). It gives
River's numbers: on MovieLens 100k no prediction of BiasedMF differs by 1e-14, and none at all in
`models.factorization_river`, where sums have one order. Only ratings teach it; clicks taken for constant ratings would
teach the constant.

A user or an item is one row, `float64[1 + n_factors]`: the bias, then the factors. Its start is a function of the id.
A row takes 88 bytes with 10 factors, and is there only once there is a rating. Stored: float64, little endian.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models import factorization_kernels as kernels
from models.arrays import longer
from models.errors import SettingsError, StateError

Row = npt.NDArray[np.float64]

USERS, ITEMS = 0, 1
"""Kinds of id: a user and an item of the same name start apart."""

_STORED = np.dtype("<f8")


@dataclass(frozen=True, slots=True)
class FactorizationSettings:
    """What shapes the rows; the defaults are the measured ones (MovieLens 100k in time order, MAE .7482, RMSE .9477).

    Parameters
    ----------
    n_factors
        Factors per row.
    lr_bias, lr_factors
        Learning rates.
    start_scale
        Standard deviation of the factors at the start.
    lowest, highest
        The scale of the ratings. What lies outside is learned as its nearest end, and predictions are clipped to it.
    max_gradient
        Bound of the gradient, which is twice the error (River: `clip_gradient`). Times a learning rate it is at most 1:
        beyond, one step could overshoot and the next one more.
    max_weight
        Bound of every number in a row, so that none is ever infinite (the greatest on MovieLens 100k is 2.4).
    seed
        Chooses another start for every id.

    Raises
    ------
    SettingsError
        If a value is outside its range.
    """

    n_factors: int = 10
    lr_bias: float = 0.025
    lr_factors: float = 0.05
    start_scale: float = 0.1
    lowest: float = 0.5
    highest: float = 5.0
    max_gradient: float = 16.0
    max_weight: float = 100.0
    seed: int = 0

    def __post_init__(self) -> None:
        fastest = max(self.lr_bias, self.lr_factors)
        for name, fits, allowed in (
            ("n_factors", 1 <= self.n_factors <= 1024, "1 to 1024, e.g. 10"),
            ("lr_bias", 0 <= self.lr_bias <= 1, "0 to 1, e.g. 0.025"),
            ("lr_factors", 0 <= self.lr_factors <= 1, "0 to 1, e.g. 0.05"),
            ("start_scale", 0 <= self.start_scale <= 1, "0 to 1, e.g. 0.1"),
            ("lowest", -1e6 <= self.lowest < self.highest, f"-1e6 to below highest, which is {self.highest}"),
            ("highest", self.lowest < self.highest <= 1e6, f"more than lowest, which is {self.lowest}, up to 1e6"),
            ("max_gradient", 0 < self.max_gradient < math.inf, "a finite number above 0, e.g. 16"),
            ("max_gradient", self.max_gradient * fastest <= 1, f"at most 1 / {fastest}, the greater learning rate"),
            ("max_weight", self.start_scale * 6 <= self.max_weight <= 1e6, "6 start_scale to 1e6, e.g. 100"),
            ("seed", 0 <= self.seed < 2**64, "0 to 2^64 - 1"),
        ):
            if not fits:
                raise SettingsError(f"factorization: {name} has value {getattr(self, name)!r}. Use {allowed}.")


class Factorization:
    """The rows of items by slot, and the mean of all ratings; users have their rows elsewhere. The fold learns them.

    Parameters
    ----------
    settings
        What shapes the rows.

    Attributes
    ----------
    mean
        Number of ratings, and their mean, 0 without any.
    """

    def __init__(self, settings: FactorizationSettings | None = None) -> None:
        self.settings = settings = settings or FactorizationSettings()
        self.mean: Row = np.zeros(2)
        self.rows: npt.NDArray[np.float64] = np.zeros((64, 1 + settings.n_factors))
        self.has_row: npt.NDArray[np.bool_] = np.zeros(64, np.bool_)

    def on_scale(self, rating: float) -> float:
        """The rating, or the nearest end of the scale."""
        return min(max(rating, self.settings.lowest), self.settings.highest)

    def encode_row(self, slot: int) -> bytes:
        """An item's row as stored; empty for an item without ratings."""
        known = slot < len(self.has_row) and self.has_row[slot]
        return encode_row(self.rows[slot]) if known else b""

    def set_row(self, slot: int, data: bytes) -> None:
        """Take a stored row, or the empty bytes of an item without one.

        Raises
        ------
        StateError
            If it is damaged.
        """
        self.grow(slot + 1)
        if not data:
            self.clear(slot)
            return
        self.rows[slot] = decode_row(data, self.settings.n_factors)
        self.has_row[slot] = True

    def clear(self, slot: int) -> None:
        """Forget a slot."""
        self.rows[slot] = 0.0
        self.has_row[slot] = False

    def grow(self, n_slots: int) -> None:
        """Make room for slots up to `n_slots`."""
        if n_slots > len(self.has_row):
            size = max(n_slots, 2 * len(self.has_row))
            self.rows = longer(self.rows, size)
            self.has_row = longer(self.has_row, size)


def start_row(settings: FactorizationSettings, kind: int, id_hash: int) -> Row:
    """The row of an id (`USERS` or `ITEMS`) before its first rating: a function of seed, kind and hash alone."""
    row: Row = np.empty(1 + settings.n_factors)
    kernels.start_row(np.uint64(settings.seed), kind, np.uint64(id_hash), settings.start_scale, row)
    return row


def encode_row(row: Row) -> bytes:
    """A row as stored."""
    return row.astype(_STORED).tobytes()


def decode_row(data: bytes, n_factors: int) -> Row:
    """Read a stored row.

    Raises
    ------
    StateError
        If it has another length, or a number that is not finite.
    """
    size = _STORED.itemsize * (1 + n_factors)
    if len(data) != size:
        raise StateError(
            f"a stored row of factors has {len(data)} bytes, expected {size} for n_factors = {n_factors}. "
            "Use the settings it was made with, or rebuild all state from the log with `freshet reset`."
        )
    row = np.frombuffer(data, _STORED).astype(np.float64)
    if not np.isfinite(row).all():
        raise StateError(
            f"a stored row of factors is damaged, not all numbers are finite: {row.tolist()}. "
            "Restore it, or rebuild all state from the log with `freshet reset`."
        )
    return row
