"""Reads what workers serve to Prometheus: samples out of its text, quantiles out of histograms."""

import math
from collections.abc import Sequence

from prometheus_client.parser import text_string_to_metric_families

from app.metrics.described import METRICS

Samples = dict[str, dict[tuple[str, ...], float]]
"""By name of the sample, then by the values of its labels, in the order in which `METRICS` names them; `le` is last."""


def parsed(text: str) -> Samples:
    """The samples of a text for Prometheus; of metrics that are not ours those without labels.

    Raises
    ------
    ValueError
        If it is none.
    """
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        described = METRICS.get(family.name.removesuffix("_total"))  # a counter whose type nobody said keeps it
        names = (*described.labels, "le") if described else ()
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in names if name in sample.labels)
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def quantile(buckets: Sequence[tuple[float, float]], q: float) -> float | None:
    """A quantile out of cumulative buckets, linear within one; None if they are empty.

    Parameters
    ----------
    buckets
        Upper bound and count up to it, ascending; the last bound is infinite, and counts as the one before.

    Examples
    --------
    >>> quantile([(1.0, 5.0), (2.0, 10.0), (math.inf, 10.0)], 0.75)
    1.5
    """
    total = buckets[-1][1] if buckets else 0.0
    if total <= 0:
        return None
    low, below = 0.0, 0.0
    for bound, n in buckets:
        if n >= q * total and n > below:
            return low if math.isinf(bound) else low + (bound - low) * (q * total - below) / (n - below)
        low, below = (low if math.isinf(bound) else bound), n
    return low
