"""Trending: what many turn to now."""

from collections.abc import Mapping
from typing import Final

import htpy as h
from htpy import Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.page import Asked, Page
from tables.keys import TRENDING_WINDOWS

SAID: Final = {"1h": "hour", "1d": "day", "7d": "seven days"}
N_CATEGORIES: Final = 18
MAX_CATEGORY: Final = 200


def window_of(asked: Asked) -> str:
    """The window that is asked for, or the shortest."""
    wanted = asked.text("window")
    return wanted if wanted in TRENDING_WINDOWS else TRENDING_WINDOWS[0]


def head(asked: Asked) -> Node:
    """Window and category."""
    return kit.search(
        "/trending",
        kit.choice("Window", "window", window_of(asked), {each: f"last {SAID[each]}" for each in TRENDING_WINDOWS}),
        kit.field("Category", "category", asked.text("category"), maxlength=str(MAX_CATEGORY), placeholder="any"),
        button="Show",
    )


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    window, category = window_of(asked), asked.text("category")[:MAX_CATEGORY] or None
    lookup = asked.sources.lookup
    found, titles = await lookup.trending(window, category)
    where = "" if category is None else f" in {category}"
    if not found:
        longer = [each for each in TRENDING_WINDOWS if each != window]
        links: list[Node] = [[kit.link("/trending", f"the last {SAID[each]}", window=each), " "] for each in longer]
        return {
            "ranking": kit.card(
                f"Nothing trends{where}",
                kit.empty(
                    f"Nobody turned to anything{where} in the last {SAID[window]}.",
                    "Trends age by the clock: what a log of long ago says has no place in a short window.",
                    ["Look at ", links],
                ),
            )
        }
    best = found[0][1] or 1.0
    rows = [
        (
            str(place),
            kit.shown_item(item_id, titles),
            f.count(score),
            kit.bar(score / best, f"score {f.count(score)}", "c4"),
        )
        for place, (item_id, score) in enumerate(found, 1)
    ]
    categories = await lookup.categories(item_id for item_id, _ in found)
    return {
        "ranking": kit.card(
            f"Trending{where}, last {SAID[window]}",
            kit.table(("#", "item", "score", ""), rows, caption="What trends, best first", right=("#", "score")),
            note="What counted once counts half after half the window, and nothing after all of it.",
        ),
        "categories": categories
        and kit.card(
            "Categories",
            h.ul(".chips")[
                [h.li[kit.link("/trending", name, window=window, category=name)] for name in categories[:N_CATEGORIES]]
            ],
            note="Of the items above.",
        ),
    }


TRENDING: Final = Page(
    "/trending", "Trending", "trending", "What do many turn to now?", parts, head, ("window", "category")
)
