"""The picture of an evaluation, by matplotlib: curves along the log, bars of lists, the value of freshness."""

import warnings
from typing import Any, BinaryIO, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from app.evaluate import curves
from app.evaluate.baselines import POPULARITY
from app.evaluate.lists import ALONE, SERVED, WITHOUT
from app.evaluate.report import title_of
from models.blend_weights import BOUNDS

WIDTH_INCHES: Final = 11.5
DOTS_PER_INCH: Final = 150
MOST_OF_NAME: Final = 40
FEW_POINTS: Final = 12
LABEL_ROOM: Final = 44

_INK, _SOFT, _GRID = "#22303c", "#5d6b78", "#e4e9ed"
_COLOURS: Final = {
    SERVED: "#1f5fa8",
    ALONE: "#2a9d8f",
    WITHOUT: "#9db8d6",
    POPULARITY: "#e08a3c",
    "seconds": "#1f5fa8",
    "records": "#7b4fa3",
}
_DOTTED: Final = (0, (2, 2))
_OF_SOURCES: Final = ("#2a9d8f", "#1f5fa8", "#e08a3c", "#7b4fa3", "#b5495b", "#6b7a1f")
STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same picture everywhere
    "font.size": 9.5,
    "text.color": _INK,
    "axes.edgecolor": "#b8c2cb",
    "axes.labelcolor": _SOFT,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "legend.frameon": False,
    "svg.fonttype": "path",  # no font is asked for where it is looked at
    "svg.hashsalt": "freshet",  # the same bytes for the same numbers
}


def draw(result: dict[str, Any], file: BinaryIO, form: str) -> None:
    """Write the picture of an evaluation with tests, as `png` or `svg`."""
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # a log may be named in any script: a box stands for what is missing
        figure = figure_of(result)
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(file, format=form, dpi=DOTS_PER_INCH, metadata=metadata, facecolor="white")


def figure_of(result: dict[str, Any]) -> Figure:
    """The picture, not yet rendered."""
    bars = curves.bars(result)
    heights = [0.75, 3.4, 1.3 + 0.3 * len(bars), 0.5]
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights)), layout=ConstrainedLayoutEngine(w_pad=0.16, wspace=0.03))
    head, top, bottom, foot = figure.subfigures(4, 1, squeeze=False, height_ratios=heights)[:, 0]
    _write_head(head, result)
    weights = curves.weights(result)
    if weights:
        along, beside = top.subplots(1, 2, width_ratios=(1.6, 1))
        _draw_weights(beside, weights)
    else:
        along = top.add_subplot()
    _draw_time(along, result)
    if result["delays"][1:]:
        left, right = bottom.subplots(1, 2, width_ratios=(1.15, 1))
        _draw_freshness(right, result)
    else:
        left = bottom.add_subplot()
    _draw_bars(left, bars)
    foot.text(
        0.012,
        0.5,
        "HR@10: the share of tests whose item stood in the first 10 places. Whiskers and bands: 95 % interval of the "
        "difference from the list, users resampled;\na whisker that reaches the blue line may be chance. A test is a "
        "positive event on an item new to its user, scored on the list of before its timestamp.",
        color=_SOFT,
        fontsize=8,
        va="center",
        linespacing=1.5,
    )
    return figure


def _write_head(figure: SubFigure, result: dict[str, Any]) -> None:
    name = str(result["log"])
    name = name if len(name) <= MOST_OF_NAME else f"{name[: MOST_OF_NAME - 1]}…"
    n = result["partitions"]
    title = f"{name}: how good the lists are that people get"
    figure.text(0.012, 0.72, title, fontsize=16, fontweight="bold", va="center", parse_math=False)
    facts = [
        f"{result['tests']:,} tests of {result['users_tested']:,} users",
        f"{result['records']:,} records",
        f"{result['items']:,} items",
        f"{n} partition{'s' if n > 1 else ''}",
    ]
    figure.text(0.012, 0.2, "  ·  ".join(facts), color=_SOFT, fontsize=10.5, va="center")


def _draw_time(axes: Axes, result: dict[str, Any]) -> None:
    for curve in curves.over_time(result):
        width, marker = (2.4, "o") if curve.role == SERVED else (1.6, "o")
        few = len(curve.x) <= FEW_POINTS
        axes.plot(
            curve.x,
            curve.y,
            color=_COLOURS[curve.role],
            linewidth=width,
            marker=marker if few else "",
            markersize=4,
            label=curve.name,
            zorder=3 if curve.role == SERVED else 2,
        )
    axes.set_title("Along the log")
    axes.set_xlabel("records of the log")
    axes.set_ylabel("HR@10")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlim(0, result["records"])
    axes.set_ylim(0, axes.get_ylim()[1] * 1.02 or 1)
    axes.grid(axis="y")
    axes.legend(loc="lower center", ncols=3, labelcolor=_INK, fontsize=8.5)


def _draw_weights(axes: Axes, weights: list[curves.Weights]) -> None:
    for place, each in enumerate(weights):
        colour = _OF_SOURCES[place % len(_OF_SOURCES)]
        axes.plot(each.n, each.known, color=colour, linewidth=1.8)
        axes.plot(each.n, each.new, color=colour, linewidth=1.8, linestyle=_DOTTED)
        axes.plot([], [], color=colour, linewidth=1.8, label=title_of(each.name))
    axes.plot([], [], color=_SOFT, linewidth=1.8, label=f"{BOUNDS[-1]} events or more")
    axes.plot([], [], color=_SOFT, linewidth=1.8, linestyle=_DOTTED, label=f"fewer than {BOUNDS[0]}")
    axes.set_title("What each source counts")
    axes.set_xlabel("outcomes learned")
    axes.set_ylabel("weight")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlim(0, weights[0].n[-1])
    axes.set_ylim(0, axes.get_ylim()[1] * (1.15 + 0.07 * len(weights)) or 1)
    axes.grid(axis="y")
    axes.legend(loc="upper left", ncols=2, borderaxespad=0.1, labelcolor=_INK, fontsize=8)


def _draw_bars(axes: Axes, bars: list[curves.Bar]) -> None:
    most = max(each.high or each.rate for each in bars) or 1.0
    for place, each in enumerate(bars):
        axes.barh(place, each.rate, height=0.66, color=_COLOURS[each.role])
        if each.low is not None and each.high is not None:
            axes.plot([each.low, each.high], [place, place], color=_INK, linewidth=1.3, marker="|", markersize=6)
        axes.text(1.2 * most, place, f"{each.rate:.4f}", va="center", ha="right", color=_INK)
    axes.axvline(bars[0].rate, color=_COLOURS[SERVED], linewidth=1, linestyle=(0, (4, 3)), zorder=0.9)
    axes.set_yticks(range(len(bars)), [each.name for each in bars], color=_INK)
    axes.get_yticklabels()[0].set_fontweight("bold")
    axes.invert_yaxis()
    axes.set_xlim(0, most * 1.2)
    axes.tick_params(axis="y", length=0)
    axes.set_title("The list, its sources alone, the list without each")
    axes.set_xlabel("HR@10")
    axes.grid(axis="x")


def _draw_freshness(axes: Axes, result: dict[str, Any]) -> None:
    found = curves.freshness(result)
    for curve in found:
        colour = _COLOURS[curve.role]
        axes.fill_between(curve.x, curve.low or curve.y, curve.high or curve.y, color=colour, alpha=0.18, linewidth=0)
        axes.plot(curve.x, curve.y, color=colour, linewidth=2.2, marker="o", markersize=5, label=curve.name)
    popularity = result["lists"][POPULARITY]["hr@10"]
    axes.axhline(
        popularity,
        color=_COLOURS[POPULARITY],
        linewidth=1.3,
        linestyle=(0, (4, 3)),
        label="popularity, never late",
    )
    ticks = curves.ticks(result)
    axes.set_xticks([place for place, _ in ticks], [label for _, label in ticks])
    if (ticks[-1][0] + 1) * max(len(label) for _, label in ticks) > LABEL_ROOM:
        axes.tick_params(axis="x", labelrotation=90)
    axes.set_xlim(-0.35, ticks[-1][0] + 0.35)
    axes.set_ylim(0, max(popularity, *(max(curve.high or curve.y) for curve in found)) * 1.32 or 1)
    axes.set_title("Value of freshness")
    units = {"seconds": "in event time", "records": "in records, k: thousand"}
    axes.set_xlabel("how late: " + "; ".join(units[curve.role] for curve in found))
    axes.set_ylabel("HR@10")
    axes.grid(axis="y")
    axes.legend(loc="upper right", labelcolor=_INK, fontsize=8.5)
