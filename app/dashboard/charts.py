"""Charts as SVG, drawn on the server: no script has to draw them, and they follow the page's colours."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import htpy as h
import orjson
from htpy import Element, Node

WIDTH: Final = 600
HEIGHT: Final = 150
MAX_POINTS: Final = 120

Value = float | None


class Series(NamedTuple):
    """One line: a value per time, None where nothing is known."""

    name: str
    values: Sequence[Value]
    colour: str


def thinned(values: Sequence[Value], n: int = MAX_POINTS) -> list[Value]:
    """At most n of the values, evenly spread, the last one among them.

    Examples
    --------
    >>> thinned([0, 1, 2, 3, 4, 5, 6], 3)
    [0, 3, 6]
    """
    step = -(-len(values) // n) if values else 1
    return list(values[len(values) - 1 :: -step])[::-1] if values else []


def line_chart(
    label: str,
    times: Sequence[str],
    series: Sequence[Series],
    shown: Callable[[Value], str],
    *,
    top: float | None = None,
    stacked: bool = False,
) -> Element:
    """Lines over time, with a legend that has the last values.

    Parameters
    ----------
    label
        What it shows, for those who hear it.
    times
        Of the points.
    shown
        A value as text.
    top
        The upper end of the scale; None: what the values want.
    stacked
        Lay the series on one another, as areas.
    """
    times = [str(each) for each in thinned_texts(times)]
    lines = [Series(each.name, thinned(each.values), each.colour) for each in series]
    drawn = _stack(lines) if stacked else lines
    scale = top or nice_top(max((v for line in drawn for v in line.values if v is not None), default=0.0))
    said = ", ".join(f"{line.name} {shown(_last(line.values))}" for line in lines)
    points = orjson.dumps({"at": times, "rows": [[x.name, [shown(v) for v in x.values]] for x in lines]}).decode()
    areas = stacked or len(lines) == 1
    under = [None, *drawn[:-1]] if stacked else [None] * len(drawn)
    return h.figure(".chart", data_points=points)[
        h.div(".plot")[
            h.span(".top")[shown(scale)],
            h.svg(
                {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "preserveAspectRatio": "none"},
                role="img",
                aria_label=f"{label}: {said}",
            )[
                [h.line(".grid", x1="0", x2=str(WIDTH), y1=str(y), y2=str(y)) for y in (1, HEIGHT // 2, HEIGHT - 1)],
                areas and [_area(line, below, scale) for line, below in zip(drawn, under, strict=True)],
                [h.path(class_=f"line {line.colour}", d=path_of(line.values, scale)) for line in drawn],
            ],
            not any(v is not None for line in lines for v in line.values) and h.span(".nothing")["nothing yet"],
            h.span(".cursor", hidden=True),
        ],
        h.div(".axis")[h.span[times[0] if times else ""], h.span[times[-1] if times else ""]],
        h.figcaption[
            [
                h.span(".key")[h.span(class_=f"dot {line.colour}"), line.name, " ", h.b[shown(_last(line.values))]]
                for line in lines
            ]
        ],
    ]


def thinned_texts(texts: Sequence[str], n: int = MAX_POINTS) -> list[str]:
    """As `thinned`, of texts."""
    step = -(-len(texts) // n) if texts else 1
    return list(texts[len(texts) - 1 :: -step])[::-1] if texts else []


def sparkline(values: Sequence[Value], label: str, colour: str = "c1") -> Node:
    """A small line without axes."""
    few = thinned(values, 60)
    top = nice_top(max((v for v in few if v is not None), default=0.0))
    return h.svg(
        ".spark",
        {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "preserveAspectRatio": "none"},
        role="img",
        aria_label=label,
    )[_area(Series("", few, colour), None, top), h.path(class_=f"line {colour}", d=path_of(few, top))]


def columns(values: Sequence[float], labels: Sequence[str], label: str, colour: str = "c1") -> Element:
    """Columns side by side, each with its own label below."""
    top = max([*values, 1e-9])
    width = 100 / max(len(values), 1)
    return h.div(".columns")[
        h.svg({"viewBox": "0 0 100 40", "preserveAspectRatio": "none"}, role="img", aria_label=label)[
            [
                h.rect(
                    class_=f"fill {colour}",
                    x=f"{place * width + width * 0.32:.2f}",
                    width=f"{width * 0.36:.2f}",
                    y=f"{40 - max(38 * value / top, 0.6):.2f}",
                    height=f"{max(38 * value / top, 0.6):.2f}",
                )
                for place, value in enumerate(values)
            ]
        ],
        h.div(".axis", aria_hidden="true")[[h.span[each] for each in labels]],
    ]


def path_of(values: Sequence[Value], top: float) -> str:
    """The line through the values; where one is missing it is broken.

    Examples
    --------
    >>> path_of([0.0, 1.0, None, 1.0], 1.0)
    'M0 149L200 1M600 1'
    """
    step = WIDTH / max(len(values) - 1, 1)
    parts, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{place * step:.4g} {_y(value, top):.4g}")
        pen = "L"
    return "".join(parts)


def nice_top(value: float) -> float:
    """The end of a scale that holds a value: 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> nice_top(0.0), nice_top(0.2084), nice_top(130)
    (1.0, 0.5, 200.0)
    """
    if value <= 0:
        return 1.0
    power: float = 10.0 ** int(f"{value:e}".partition("e")[2])
    return next(times * power for times in (1.0, 2.0, 5.0, 10.0) if times * power >= value)


def _y(value: float, top: float) -> float:
    return HEIGHT - 1 - (HEIGHT - 2) * min(value / top, 1.0)


def _last(values: Sequence[Value]) -> Value:
    return values[-1] if values else None


def _area(line: Series, below: Series | None, top: float) -> Element:
    """What lies between a line and the one below it, or the ground."""
    known = [(place, value) for place, value in enumerate(line.values) if value is not None]
    step = WIDTH / max(len(line.values) - 1, 1)
    if not known:
        return h.path(class_=f"area {line.colour}", d="")
    over = "L".join(f"{place * step:.4g} {_y(value, top):.4g}" for place, value in known)
    floor = [(place, (below.values[place] or 0.0) if below else 0.0) for place, _ in reversed(known)]
    under = "L".join(f"{place * step:.4g} {_y(value, top):.4g}" for place, value in floor)
    return h.path(class_=f"area {line.colour}", d=f"M{over}L{under}Z")


def _stack(lines: Sequence[Series]) -> list[Series]:
    stacked: list[Series] = []
    for line in lines:
        below = stacked[-1].values if stacked else [0.0] * len(line.values)
        sums = [None if v is None else v + (b or 0.0) for v, b in zip(line.values, below, strict=True)]
        stacked.append(Series(line.name, sums, line.colour))
    return stacked
