"""Quality: how good the lists are, which sources that comes from, and whether it changes."""

from collections.abc import Mapping, Sequence
from typing import Final

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.board import Board
from app.dashboard.charts import Series, line_chart
from app.dashboard.moments import LIST, POPULARITY, Moment, fold_rates
from app.dashboard.page import Asked, Page

HOUR: Final = 60


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    board = asked.sources.board
    moments = list(board.past) if len(board.past) > 2 * HOUR else list(board.recent)
    return {"figures": figures(board), "rates": rates(board, moments), "weights": weights(board, moments)}


def figures(board: Board) -> Element:
    """Hit rates as numbers."""
    tests, found = fold_rates(board.answering)
    live_tests = sum(worker.total("freshet_live_tests_total") for worker in board.answering)
    drifts = sum(worker.total("freshet_live_drifts_total") for worker in board.answering)
    lists, popular = found.get(LIST), found.get(POPULARITY)
    times = f"{lists / popular:.1f} times" if lists and popular else f.NOTHING
    return h.div(".grid.figures")[
        kit.figure(
            "Lists of the fold",
            f.share(lists),
            f"hit rate at 10 of {f.count(tests)} tests: each before it was learned",
            name="fold_rate",
        ),
        kit.figure(
            "Against popularity", times, f"what most people are for alone: {f.share(popular)}", name="times_popularity"
        ),
        kit.figure(
            "Lists as published",
            f.share(board.now.live_rate),
            f"of the last of {f.count(live_tests)} tests: what people did with what was in Redis",
            name="live_rate",
        ),
        kit.figure(
            "Drift",
            f.count(drifts),
            "times that the published lists' hit rate was found changed (ADWIN)",
            tone="warn" if drifts else "",
            name="drifts",
        ),
    ]


def rates(board: Board, moments: Sequence[Moment]) -> Element:
    """Hit rate over time, and by source."""
    tests, found = fold_rates(board.answering)
    if not tests:
        nothing = kit.empty(
            "No event was scored yet.",
            "Positive events on items new to their users are, of the part of users that FRESHET_EVALUATE_FRACTION says "
            "(.05; 1 for all).",
        )
        return kit.card("Hit rate at 10", nothing)
    times = [f.clock(moment.at_ms) for moment in moments]
    top = max(found.values(), default=0.0) or 1.0
    ordered = sorted(found.items(), key=lambda pair: (pair[0] != LIST, -pair[1], pair[0]))
    return h.div(".grid.two")[
        kit.card(
            "Hit rate at 10 over time",
            line_chart(
                "hit rate at 10",
                times,
                [
                    Series(kit.SOURCES.get(name, (name, ""))[0], [m.rates.get(name) for m in moments], colour)
                    for name, colour in ((LIST, "c5"), (POPULARITY, "c3"))
                ],
                f.share,
            ),
            note="Of the tests of five minutes each; a gap: fewer than 20.",
        ),
        kit.card(
            "By source",
            kit.table(
                ("list of", "hit rate", ""),
                [
                    (
                        kit.source_badge(name),
                        f.share(rate),
                        kit.bar(rate / top, f"{name}: {f.share(rate)}", kit.SOURCES.get(name, ("", "c0"))[1]),
                    )
                    for name, rate in ordered
                ],
                caption="Hit rate at 10 by source",
                right=("hit rate",),
            ),
            note=f"Each on its own, of the same {f.count(tests)} tests since the workers began.",
        ),
    ]


def weights(board: Board, moments: Sequence[Moment]) -> Element:
    """What the blend counts its sources."""
    if not board.now.weights:
        return kit.card(
            "Weights of the blend",
            kit.empty(
                "No weights are learned.",
                "With FRESHET_BLEND=learned they are learned from what people take of their lists; other blends weigh "
                "by fixed numbers.",
            ),
        )
    names = sorted({name for moment in moments for name in moment.weights})
    times = [f.clock(moment.at_ms) for moment in moments]
    n = sum(worker.value("freshet_blend_outcomes") or 0 for worker in board.answering)
    return kit.card(
        "Weights of the blend",
        line_chart(
            "weights of the blend",
            times,
            [
                Series(
                    kit.SOURCES.get(name, (name, ""))[0],
                    [moment.weights.get(name) for moment in moments],
                    kit.SOURCES.get(name, ("", "c0"))[1],
                )
                for name in names
            ],
            f.share,
            top=1.0,
            stacked=True,
        ),
        note=f"As parts of one, for users with a long history; learned from {f.count(n)} outcomes.",
    )


QUALITY: Final = Page(
    "/quality", "Quality", "quality", "How good are the lists, and which sources is that from?", parts
)
