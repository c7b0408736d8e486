"""Numbers and times as people read them."""

from datetime import UTC, datetime
from typing import Final

NOTHING: Final = "–"
_LARGE: Final = ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k"))
_SPANS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))


def count(n: float | None) -> str:
    """A count or a rate, in four characters or so.

    Examples
    --------
    >>> count(None), count(0), count(0.25), count(9_876), count(27_700), count(1_234_567)
    ('–', '0', '0.25', '9,876', '27.7k', '1.23M')
    """
    if n is None:
        return NOTHING
    for least, unit in _LARGE:
        if abs(n) >= least:
            scaled = n / (1000 if unit == "k" else least)
            return f"{scaled:.3g}{unit}"
    if n == int(n) or abs(n) >= 100:
        return f"{n:,.0f}"
    return f"{n:.1f}" if abs(n) >= 10 else f"{n:.2g}"


def duration(milliseconds: float | None) -> str:
    """A time that something took.

    Examples
    --------
    >>> duration(None), duration(0.4), duration(23.4), duration(1250), duration(90_000)
    ('–', '0.4 ms', '23 ms', '1.25 s', '90 s')
    """
    if milliseconds is None:
        return NOTHING
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.3g} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.2g} ms"


def share(fraction: float | None) -> str:
    """A part of one, in percent.

    Examples
    --------
    >>> share(None), share(0.2084), share(1), share(0.004)
    ('–', '20.8 %', '100 %', '0.4 %')
    """
    return NOTHING if fraction is None else f"{100 * fraction:.3g} %"


def size(n_bytes: float | None) -> str:
    """Bytes.

    Examples
    --------
    >>> size(None), size(512), size(2_600), size(570_000_000)
    ('–', '512 B', '2.6 kB', '570 MB')
    """
    if n_bytes is None:
        return NOTHING
    for least, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if n_bytes >= least:
            return f"{n_bytes / least:.3g} {unit}"
    return f"{n_bytes:.0f} B"


def span(seconds: float) -> str:
    """How long ago, in the largest unit.

    Examples
    --------
    >>> span(3.4), span(90), span(200_000)
    ('3 s', '1 min', '2 d')
    """
    for length, unit in _SPANS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def clock(at_ms: float) -> str:
    """The time of day in UTC; empty where there is no such time."""
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return ""


def day(at_ms: float) -> str:
    """Date and time in UTC; empty where there is no such time.

    Examples
    --------
    >>> day(1_700_000_000_000)
    '2023-11-14 22:13'
    """
    try:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return ""
