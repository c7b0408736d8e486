"""Work that shares the time with what comes first."""


def rest_s(worked_s: float, share: float) -> float:
    """How long to rest after some work, so that it takes a share of the time; s.

    >>> rest_s(1.0, 0.25), rest_s(1.0, 1.0)
    (3.0, 0.0)
    """
    return worked_s * (1 / share - 1)
