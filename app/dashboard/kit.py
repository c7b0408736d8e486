"""Pieces that pages are put together from. Every text in them is escaped by htpy."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal
from urllib.parse import urlencode

import htpy as h
from htpy import Element, Node

from models.errors import InvalidEvent
from models.events import checked_id

Tone = Literal["", "good", "warn", "bad", "quiet"]

SOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "co_occurrence": ("bought or liked together", "c1"),
    "history": ("history factors", "c2"),
    "popularity": ("popular", "c3"),
    "trending": ("trending", "c4"),
    "ratings": ("ratings", "c5"),
    "directed": ("what followed", "c6"),
    "last_item": ("after the last item", "c6"),
    "list": ("the list", "c5"),
}
"""Sources of lists: what they are called here, and their colour."""


def card(title: str, *content: Node, note: Node = None, tone: Tone = "") -> Element:
    """A box with a heading."""
    return h.section(class_=["card", tone and f"tone-{tone}"])[
        h.h2[title], content, note is not None and h.p(".note")[note]
    ]


def figure(
    title: str, value: str, note: Node = None, *, chart: Node = None, tone: Tone = "", name: str = ""
) -> Element:
    """A box with one number; `name` is what programs find it by."""
    return h.section(class_=["card", "figure", tone and f"tone-{tone}"])[
        h.h2[title],
        h.p(".value", data_figure=name or None)[value],
        note is not None and h.p(".note")[note],
        chart,
    ]


def badge(text: str, tone: Tone | str = "") -> Element:
    """A short word in a coloured box."""
    return h.span(class_=["badge", tone and f"tone-{tone}"])[text]


def source_badge(source: str) -> Element:
    """The name of a source in its colour."""
    said, colour = SOURCES.get(source, (source, "c0"))
    return h.span(class_=["source", colour], title=source)[said]


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Node]],
    *,
    caption: str,
    right: Sequence[str] = (),
    stacks: bool = False,
) -> Element:
    """A table that scrolls sideways where it does not fit.

    Parameters
    ----------
    caption
        What it lists, for those who hear it.
    right
        Columns of numbers.
    stacks
        On a phone the cells of a row stand below one another.
    """
    places = [("num" if column in right else None) for column in columns]
    return h.div(".scroll", tabindex="0", role="region", aria_label=caption)[
        h.table(class_={"stacks": stacks})[
            h.caption[caption],
            h.thead[
                h.tr[[h.th(scope="col", class_=place)[column] for column, place in zip(columns, places, strict=True)]]
            ],
            h.tbody[
                [h.tr[[h.td(class_=place)[cell] for cell, place in zip(row, places, strict=True)]] for row in rows]
            ],
        ]
    ]


def empty(title: str, *what_to_do: Node) -> Element:
    """What stands where there is nothing to show yet: what to do for something to be there."""
    return h.div(".empty")[h.p(".empty-title")[title], [h.p[each] for each in what_to_do]]


def misnamed(what: str, value: str) -> Element | None:
    """A card that says why no event could name a `user` or an `item` so; None if one could."""
    try:
        checked_id(f"{what}_id", value)
    except InvalidEvent as invalid:
        return card(f"No {what}", empty(f"No event could name that {what}.", invalid.message))
    return None


def prose(text: str) -> Node:
    """Sentences; what stands between backticks in them is a command."""
    return [h.code[part] if place % 2 else part for place, part in enumerate(text.split("`"))]


def command(text: str) -> Element:
    """A command to be copied."""
    return h.code(".command")[text]


def bar(share: float, label: str, colour: str = "c1") -> Element:
    """A bar as long as a part of one."""
    width = f"{100 * min(max(share, 0.0), 1.0):.1f}"
    return h.svg(".bar", {"viewBox": "0 0 100 6", "preserveAspectRatio": "none"}, role="img", aria_label=label)[
        h.rect(".track", width="100", height="6"), h.rect(class_=f"fill {colour}", width=width, height="6")
    ]


def link(path: str, text: Node, **query: str) -> Element:
    """A link to another page, with its query."""
    return h.a(href=f"{path}?{urlencode(query, errors='surrogatepass')}" if query else path)[text]


def shown_user(user_id: str, *, masked: bool) -> Node:
    """A user's id with a link to the page about that person; masked, nothing of either."""
    return (
        h.span(".masked", title="FRESHET_DASHBOARD_MASK_USERS")["a user"]
        if masked
        else link("/people", user_id, user=user_id)
    )


def shown_item(item_id: str, titles: Mapping[str, str]) -> Element:
    """An item's title, or its id, with a link to its page."""
    return link("/items", titles.get(item_id) or item_id, item=item_id)


def field(label: str, name: str, value: str, **attributes: str) -> Element:
    """A labelled text field."""
    return h.label(".field")[h.span[label], h.input(name=name, value=value, autocomplete="off", **attributes)]


def choice(label: str, name: str, value: str, options: Mapping[str, str]) -> Element:
    """A labelled list to choose from, by value."""
    return h.label(".field")[
        h.span[label],
        h.select(name=name)[[h.option(value=each, selected=each == value)[said] for each, said in options.items()]],
    ]


def search(path: str, *fields: Node, button: str) -> Element:
    """A form that asks for a page."""
    return h.form(".search", action=path, method="get", role="search")[fields, h.button(type="submit")[button]]
