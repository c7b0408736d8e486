"""Arrays that grow."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)


def longer(array: npt.NDArray[T], size: int) -> npt.NDArray[T]:
    """A copy of `array` with `size` rows, the new ones zero."""
    grown = np.zeros((size, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
