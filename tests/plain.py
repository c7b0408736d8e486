"""The kernels as plain Python: the same source, but an index out of bounds is an IndexError."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

from models import kernels

NAMES = ("cut_row", "add_to_row", "add_pairs", "drop_slots", "accumulate", "select", "remember", "powers")


@contextmanager
def plain_kernels() -> Iterator[None]:
    """Everything inside runs on the plain twins, kernels called by kernels too."""
    plain = {name: getattr(kernels, name).py_func for name in NAMES}
    with patch.multiple(kernels, **plain), np.errstate(all="ignore"):
        yield
