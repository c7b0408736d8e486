"""What a picture of an evaluation shows, as numbers to draw: no drawing here."""

import math
from dataclasses import dataclass
from typing import Any

from app.evaluate.baselines import NAMES, POPULARITY
from app.evaluate.lists import ALONE, SERVED, WITHOUT
from app.evaluate.report import title_of
from models.blend_weights import ROWS
from models.evaluation import EVENTS_PER_BLOCK

MAX_POINTS = 60
LEAST_TESTS = 50
RATE = "hr@10"


@dataclass(frozen=True, slots=True)
class Curve:
    """A line: its name, which colour it has, where its points lie, and the interval around each."""

    name: str
    role: str
    x: list[float]
    y: list[float]
    low: list[float] | None = None
    high: list[float] | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """A list's hit rate; with the interval of its difference from the served list, around its own rate."""

    name: str
    role: str
    rate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Weights:
    """What a source counted after `n` outcomes, for users with a long history and for those with hardly any; or NaN."""

    name: str
    n: list[int]
    known: list[float]
    new: list[float]


def over_time(result: dict[str, Any]) -> list[Curve]:
    """Hit rates along the log: list, best source alone, popularity; at the middle of each stretch, in records.

    Blocks of the log are joined until 50 tests are together, and until there are no more than 60 points.
    """
    stretches = _stretches(result["series"], max(LEAST_TESTS, -(-result["tests"] // MAX_POINTS)))
    rates = {"hr@10": (SERVED, "the list")}
    if result["best_alone"]:
        rates["best_alone_hr@10"] = (ALONE, f"best source, {title_of(result['best_alone'])}")
    rates["popularity_hr@10"] = (POPULARITY, "popularity")
    ends = [min(EVENTS_PER_BLOCK * (blocks[-1]["block"] + 1), result["records"]) for blocks in stretches]
    middles = [(EVENTS_PER_BLOCK * blocks[0]["block"] + end) / 2 for blocks, end in zip(stretches, ends, strict=True)]
    return [
        Curve(name, role, middles, [_mean(blocks, rate) for blocks in stretches])
        for rate, (role, name) in rates.items()
    ]


def weights(result: dict[str, Any]) -> list[Weights]:
    """How learned weights came to be what they are, by source; none if nothing was learned."""
    blend = result["blend"] or {}
    if not blend.get("n"):
        return []
    history = blend["history"]
    n = [*history["n"], blend["n"]]
    return [
        Weights(name, n, *(_numbers([*past[row], blend["weights"][name][row]]) for row in (ROWS[-1], ROWS[0])))
        for name, past in history["weights"].items()
        if blend["start"][name] > 0.0
    ]


def _numbers(points: list[float | None]) -> list[float]:
    return [math.nan if point is None else point for point in points]


def bars(result: dict[str, Any]) -> list[Bar]:
    """The list, each source alone, the list without each, and the baselines."""
    lists, differences = result["lists"], result["differences"]
    names = [SERVED]
    names += [name for name in lists if name.endswith(ALONE)]
    names += [name for name in lists if name.startswith(WITHOUT)]
    names += [name for name in lists if name in NAMES]
    return [
        Bar(title_of(name), _role(name), lists[name][RATE], *_around(lists[SERVED][RATE], differences.get(name)))
        for name in names
    ]


def freshness(result: dict[str, Any]) -> list[Curve]:
    """What the list finds by how late it is served, a curve for times and one for records, `x` by place.

    Both begin with the list itself.
    """
    at_once = result["delays"][0] if result["delays"] else {}
    found: list[Curve] = []
    place = 0
    for kind, name in (("seconds", "late by event time"), ("records", "late by records")):
        late = [each for each in result["delays"] if "lost" in each and kind in each]
        if not late:
            continue
        around = [_around(at_once[RATE], {RATE: each["lost"][RATE]}) for each in late]
        low, high = ([at_once[RATE], *(float(ends[side] or 0.0) for ends in around)] for side in (0, 1))
        y = [at_once[RATE], *(each[RATE] for each in late)]
        found.append(Curve(name, kind, [float(place + n) for n in range(len(y))], y, low, high))
        place += len(y) + 1
    return found


def ticks(result: dict[str, Any]) -> list[tuple[float, str]]:
    """Where each point of `freshness` lies, and what to call it."""
    found: list[tuple[float, str]] = []
    for curve in freshness(result):
        late = [each for each in result["delays"] if "lost" in each and curve.role in each]
        labels = ["0", *(_short(each["records"]) if "records" in each else each["delay"] for each in late)]
        found += zip(curve.x, labels, strict=True)
    return found


def _stretches(blocks: list[dict[str, Any]], least: int) -> list[list[dict[str, Any]]]:
    """Blocks in turn, joined until so many tests are together; what is left at the end joins the last."""
    found: list[list[dict[str, Any]]] = []
    waiting: list[dict[str, Any]] = []
    for block in blocks:
        waiting.append(block)
        if sum(each["tests"] for each in waiting) >= least:
            found.append(waiting)
            waiting = []
    if waiting and found:
        found[-1] = [*found[-1], *waiting]
    elif waiting:
        found.append(waiting)
    return found


def _mean(blocks: list[dict[str, Any]], rate: str) -> float:
    return float(sum(each["tests"] * each[rate] for each in blocks) / sum(each["tests"] for each in blocks))


def _role(name: str) -> str:
    if name.endswith(ALONE):
        return ALONE
    return WITHOUT if name.startswith(WITHOUT) else POPULARITY if name in NAMES else SERVED


def _around(rate: float, lost: dict[str, dict[str, float]] | None) -> tuple[float | None, float | None]:
    """The interval of a difference from the list, as rates of the other."""
    return (None, None) if lost is None else (rate - lost[RATE]["high"], rate - lost[RATE]["low"])


def _short(n: int) -> str:
    """A round number in few characters.

    >>> [_short(n) for n in (500, 1000, 2_500_000, 12_345)]
    ['500', '1k', '2500k', '12,345']
    """
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if n >= size and n % size == 0:
            return f"{n // size}{unit}"
    return f"{n:,}"
