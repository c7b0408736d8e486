"""Items: one item, what happens with it, and what is like it."""

from collections.abc import Mapping
from typing import Any, Final

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.charts import columns as columns_of
from app.dashboard.lookup import Item
from app.dashboard.page import Asked, Page
from app.dashboard.pages.people import WINDOWS

N_TYPES: Final = 6
N_KNOWN: Final = 24
MAX_CHARS: Final = 400


def head(asked: Asked) -> Node:
    """The search."""
    item = kit.field("Item", "item", asked.text("item"), maxlength="256", placeholder="item_id", required="required")
    return kit.search("/items", item, button="Show")


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    item_id = asked.text("item")
    if not item_id:
        return {"item": await known(asked)}
    if (card := kit.misnamed("item", item_id)) is not None:
        return {"item": card}
    item = await asked.sources.lookup.item(item_id)
    if not item.counts and not item.entry:
        return {
            "item": kit.card(
                "Not known",
                kit.empty(
                    "Nothing is known of this item.",
                    [
                        "It appears with its first event, or its entry in the catalogue: ",
                        kit.command("freshet items FILE"),
                    ],
                ),
            )
        }
    return {"item": h.div(".grid.two")[entry(item), windows(item)], "similar": similar(item)}


async def known(asked: Asked) -> Element:
    """Where to begin: what trends."""
    found, titles = await asked.sources.lookup.trending("7d", None)
    if not found:
        return kit.card(
            "No item yet",
            kit.empty(
                "Nothing has trended for seven days.", "Type an item_id, or send events: items appear with them."
            ),
        )
    return kit.card(
        "What trends",
        h.ul(".chips")[[h.li[kit.shown_item(item_id, titles)] for item_id, _ in found[:N_KNOWN]]],
        note="Of the last seven days. Open one to see its counts, and what is like it.",
    )


def entry(item: Item) -> Element:
    """What the catalogue says."""
    title = item.entry.get("title") or item.item_id
    rows = [
        (name, _text(value)) for name, value in item.entry.items() if name != "title" and value not in (None, "", [])
    ]
    lacking = kit.empty(
        "The catalogue has no entry.", ["Titles and rules come with one: ", kit.command("freshet items FILE")]
    )
    return kit.card(
        str(title),
        kit.table(("field", "value"), rows, caption="Fields of the catalogue") if rows else lacking,
        note=f"item_id {item.item_id}",
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))[:MAX_CHARS]
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())[:MAX_CHARS]
    return "" if value is None else str(value)[:MAX_CHARS]


def windows(item: Item) -> Element:
    """Events by type and window, as columns."""
    counts = item.counts
    types = sorted(
        (name.removesuffix("_all") for name in counts if name.endswith("_all")),
        key=lambda kind: (-counts[f"{kind}_all"], kind),
    )[:N_TYPES]
    drawn: list[Node] = []
    for kind in types:
        values = [float(counts.get(f"{kind}_{window}", 0)) for window in WINDOWS]
        labels = [f"{window} {f.count(value)}" for window, value in zip(WINDOWS, values, strict=True)]
        drawn.append(h.div(".windowed")[h.h3[kind], columns_of(values, labels, f"{kind}: {', '.join(labels)}")])
    return kit.card(
        "Events by window",
        drawn or kit.empty("No event named it yet.", "Counts appear a second after the first one."),
        note=f"{f.count(counts.get('n_events', 0))} events in all, the last one "
        f"{f.day(counts.get('last_event_ms', 0))} UTC.",
    )


def similar(item: Item) -> Element:
    """What the same people deal with."""
    if not item.similar:
        return kit.card(
            "Similar items",
            kit.empty("None is known.", "They come from people who deal with this item and another one."),
        )
    best = item.similar[0][1] or 1.0
    rows = [
        (kit.shown_item(other, item.titles), f"{score:.3f}", kit.bar(score / best, f"similarity {score:.3f}", "c1"))
        for other, score in item.similar
    ]
    return kit.card(
        "Similar items", kit.table(("item", "similarity", ""), rows, caption="Similar items", right=("similarity",))
    )


ITEMS: Final = Page(
    "/items", "Items", "items", "What happens with this item, and what is like it?", parts, head, ("item",)
)
