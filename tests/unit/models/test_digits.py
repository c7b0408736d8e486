"""Six significant digits, against Python's own."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models import digits
from models.digits import GREATEST, LEAST, shorten
from tests.plain import plain_kernels

WITHIN = st.floats(LEAST, GREATEST, exclude_max=True)


def short(value: float) -> float:
    """One value, shortened; compiled and plain agree."""
    values, plain = np.array([value]), np.array([value])
    n_others = shorten(values)
    with plain_kernels():
        assert digits.shorten(plain) == n_others and plain.tobytes() == values.tobytes()
    assert n_others == 0
    return float(values[0])


@given(value=WITHIN | st.integers(-15, 14).map(lambda power: 10.0**power), sign=st.sampled_from((-1, 1)))
@example(value=0.9999995, sign=1)
@example(value=999999.5, sign=1)
@example(value=LEAST, sign=1)
@example(value=math.nextafter(0.001, 0.0), sign=1)
@example(value=math.nextafter(GREATEST, 0.0), sign=1)
def test_six_digits_are_the_nearest(value: float, sign: int) -> None:
    """It has at most six digits, and of those numbers it is the nearest; of two as near, either."""
    found = short(sign * value)

    assert len(Decimal(repr(found)).normalize().as_tuple().digits) <= 6
    expected = float(f"{sign * value:.6g}")
    if found != expected:  # half way between two
        distance, other = (abs(Decimal(each) - Decimal(sign * value)) for each in (found, expected))
        assert distance == pytest.approx(other, rel=Decimal("1e-9"))


@pytest.mark.parametrize("value", [1e-16, 1e15, math.nan, math.inf, -math.inf, 5e-324, -1e300])
def test_others_are_told_and_left(value: float) -> None:
    """Beyond what is exact nothing is changed, and said how many those are."""
    values = np.array([2 / 3, value, 0.0])

    assert shorten(values) == 1
    assert values[0] == 0.666667 and values[2] == 0.0
    assert values[1:2].tobytes() == np.array([value]).tobytes()
