"""How weights came to be what they are: points of their past, spread over all of it."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

MAX_POINTS: Final = 64
DIGITS: Final = 4


class WeightHistory:
    """Weights after every so many outcomes; a full history keeps every second point, and goes on half as densely.

        every 1   0 1 2 3 4 5 6 7            if 8 were the most
        every 2   0   2   4   6   8  10  12  14
        every 4   0       4       8      12      16 ..

    Parameters
    ----------
    names, rows
        What the columns and rows of weights are called.

    Attributes
    ----------
    every
        Outcomes from one point to the next: points stand at its multiples.
    """

    def __init__(self, names: Sequence[str], rows: Sequence[str]) -> None:
        self.every = 1
        self._names, self._rows = tuple(names), tuple(rows)
        self._at: list[int] = []
        self._points: list[list[list[float | None]]] = []  # by point, row and column; None where there was none
        self._told: dict[str, Any] | None = None

    def add(self, n: int, values: npt.NDArray[np.float64]) -> None:
        """Put down the weights, shape (n rows, n columns), after `n` outcomes, more than at the last point."""
        while len(self._at) >= MAX_POINTS:
            self.every *= 2
            kept = [place for place, at in enumerate(self._at) if at % self.every == 0]
            self._at, self._points = [self._at[place] for place in kept], [self._points[place] for place in kept]
        if n % self.every == 0:
            self._at.append(n)
            self._points.append(np.round(values, DIGITS).tolist())
        self._told = None

    def as_json(self) -> dict[str, Any]:
        """The numbers of outcomes `n`, and for each column and row the weights there; the same until a point is added.

        It is never written to, so other threads may read it.
        """
        if self._told is None:
            self._told = {
                "every": self.every,
                "n": [*self._at],
                "weights": {
                    name: {
                        row: [point[place][column] for point in self._points] for place, row in enumerate(self._rows)
                    }
                    for column, name in enumerate(self._names)
                },
            }
        return self._told

    def restored(self, stored: Mapping[str, Any], names: Collection[str]) -> "WeightHistory":
        """A history of the same columns with the past that `as_json` gave; of columns not among `names` there is none.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it has another shape.
        """
        found = WeightHistory(self._names, self._rows)
        every, at = int(stored["every"]), [int(n) for n in stored["n"]]
        if not (every >= 1 and len(at) <= MAX_POINTS and at == sorted({*at}) and all(n % every == 0 for n in at)):
            raise ValueError(f"a history of weights every {every} outcomes at {at}")
        columns = {name: [stored["weights"][name][row] for row in self._rows] for name in self._names if name in names}
        for past in columns.values():
            for weights in past:
                if len(weights) != len(at):
                    raise ValueError(f"{len(weights)} weights at {len(at)} points")
        found.every, found._at = every, at
        found._points = [
            [
                [_number(columns[name][row][place]) if name in columns else None for name in self._names]
                for row in range(len(self._rows))
            ]
            for place in range(len(at))
        ]
        return found


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
