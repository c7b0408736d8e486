"""Intervals of paired differences, by resampling users: events of one user are no independent observations."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

N_RESAMPLES = 1000
_INTERVAL = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference per test, its 95 % interval, and its standard error."""

    mean: float
    low: float
    high: float
    standard_error: float


def paired_differences(
    users: npt.NDArray[np.int64], values: Floats, seed: int = 0, n_resamples: int = N_RESAMPLES
) -> list[Difference]:
    """The first column's mean less each other column's, with intervals over users drawn with replacement.

    All columns are compared on the same draws. Only sums per user are kept: a draw costs as much as there are users.

    Parameters
    ----------
    users
        Of each test the number of its user, 0 or more.
    values
        A metric of each test in each list, shape (n_tests, n_lists).
    """
    present, of = np.unique(users, return_inverse=True)
    n_users = len(present)
    differences = values[:, :1] - values[:, 1:]
    if not n_users:
        return []
    n_tests = np.bincount(of, minlength=n_users).astype(np.float64)
    sums = np.stack([np.bincount(of, column, n_users) for column in differences.T], axis=1)
    random = np.random.default_rng(seed)
    drawn = np.empty((n_resamples, sums.shape[1]), np.float64)
    for number in range(n_resamples):
        times = np.bincount(random.integers(0, n_users, n_users), minlength=n_users).astype(np.float64)
        drawn[number] = (times @ sums) / (times @ n_tests)
    low, high = np.percentile(drawn, _INTERVAL, axis=0)
    means, errors = differences.mean(axis=0), drawn.std(axis=0, ddof=1)
    return [
        Difference(*numbers)
        for numbers in zip(means.tolist(), low.tolist(), high.tolist(), errors.tolist(), strict=True)
    ]
