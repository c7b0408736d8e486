"""The frame around every page, and the page that asks for the token."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import htpy as h
from htpy import Element, Node
from markupsafe import Markup

from app.dashboard.access import FIELD
from app.dashboard.board import Board
from app.dashboard.page import Page

STATIC: Final = Path(__file__).parent / "static"
STATUS: Final = "status"
"""The part of every page that says how things are, in its heading."""

ICONS: Final[Mapping[str, str]] = {
    "overview": "M3 13h8V3H3v10zm0 8h8v-6H3v6zm10 0h8V11h-8v10zm0-18v6h8V3h-8z",
    "stream": "M2 7c3-3 6-3 9 0s6 3 9 0l2 2c-4 4-8.500 4-12.500 0-2-2-4-2-6 0zM2 15c3-3 6-3 9 0s6 3 9 0l2 2c-4 4-8.500 "
    "4-12.500 0-2-2-4-2-6 0z",
    "quality": "M4 20V10h4v10zm6 0V4h4v16zm6 0v-7h4v7z",
    "people": "M12 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zm0 2c-5 0-9 2.500-9 6v2h18v-2c0-3.500-4-6-9-6z",
    "items": "M3 7l9-5 9 5v10l-9 5-9-5zm9 3l6-3.300L12 3.500 6 6.700z",
    "trending": "M16 6l2.300 2.300-4.900 4.900-4-4L2 16.600 3.400 18l6-6 4 4 6.300-6.300L22 12V6z",
    "letters": "M20 4H4a2 2 0 0 0-2 2v12a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V6a2 2 0 0 0-2-2zm0 4l-8 5-8-5V6l8 5 8-5z",
    "settings": "M4 6h10v2H4zm14 0h2v2h-2zM15 4h2v6h-2zM4 16h2v2H4zm6 0h10v2H10zM7 14h2v6H7z",
}


@cache
def stamp() -> str:
    """Changes with the style and the scripts, so that browsers may keep them for long."""
    import hashlib

    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def static(name: str) -> str:
    """The address of a file."""
    return f"/static/{name}?{stamp()}"


def document(title: str, *content: Node, live: str | None = None) -> str:
    """A whole page.

    Parameters
    ----------
    live
        Where its changes come from.
    """
    return str(
        h.html(lang="en")[
            h.head[
                h.meta(charset="utf-8"),
                h.meta(name="viewport", content="width=device-width, initial-scale=1"),
                h.meta(name="color-scheme", content="light dark"),
                h.title[f"{title} · Freshet"],
                h.link(rel="icon", href=static("icon.svg"), type="image/svg+xml"),
                h.script(src=static("theme.js")),
                h.link(rel="stylesheet", href=static("freshet.css")),
                h.script(src=static("live.js"), defer=True),
            ],
            h.body(data_live=live)[content],
        ]
    )


def framed(
    page: Page, pages: Sequence[Page], head: Node, parts: Mapping[str, str], namespace: str, form: str, live: str
) -> str:
    """A page with the menu beside it."""
    return document(
        page.title,
        h.a(".skip", href="#main")["To the content"],
        h.div(".app")[
            h.header(".side")[
                h.a(".brand", href="/", aria_label="Freshet, overview")[_brand(), h.span["Freshet"]],
                h.nav(aria_label="Pages")[
                    h.ul[
                        [
                            h.li[
                                h.a(href=each.path, aria_current="page" if each is page else None)[
                                    icon(each.icon), h.span[each.title]
                                ]
                            ]
                            for each in pages
                        ]
                    ]
                ],
                h.div(".foot")[
                    h.button(".plain-button", type="button", id="theme")["Light or dark"],
                    h.form(action="/logout", method="post")[
                        h.input(type="hidden", name=FIELD, value=form),
                        h.button(".plain-button", type="submit")["Log out"],
                    ],
                ],
            ],
            h.main(id="main", tabindex="-1")[
                h.div(".heading")[
                    h.div[h.h1[page.title], h.p(".about")[page.about, namespace and f" Namespace {namespace}."]],
                    part(STATUS, parts.get(STATUS, "")),
                ],
                head,
                [part(name, html) for name, html in parts.items() if name != STATUS],
                h.p(id="lost", role="status", hidden=True)["The dashboard does not answer; it is asked again."],
            ],
        ],
        live=live,
    )


def part(name: str, html: str) -> Element:
    """A part of a page that may be replaced; `html` was escaped when it was drawn."""
    return h.div(".part", id=f"part-{name}")[Markup(html)]


def status(board: Board) -> Element:
    """How things are, in a word."""
    alarms = board.alarms
    worst = "bad" if any(alarm.severity == "page" for alarm in alarms) else "warn" if alarms else "good"
    said = f"{len(alarms)} alarm{'' if len(alarms) == 1 else 's'}" if alarms else "all is well"
    return h.a(class_=["pill", f"tone-{worst}"], href="/#part-alarms")[h.span(".dot"), said]


def icon(name: str) -> Element:
    """A small picture beside a word."""
    return h.svg(".icon", {"viewBox": "0 0 24 24"}, aria_hidden="true")[h.path(d=ICONS[name])]


def _brand() -> Element:
    return h.svg(".mark", {"viewBox": "0 0 32 32"}, aria_hidden="true")[
        h.path(".drop", d="M16 2c6 8 10 12.500 10 18a10 10 0 0 1-20 0C6 14.500 10 10 16 2z"),
        h.path(".wave", d="M8.500 20c2.500-2.500 5-2.500 7.500 0s5 2.500 7.500 0"),
    ]


def login(to: str, *, refused: bool, token: str = "") -> str:
    """The page that asks for the token."""
    return document(
        "Token",
        h.main(".login", id="main")[
            h.section(".card")[
                h.p(".brand")[_brand(), h.span["Freshet"]],
                h.h1["Token"],
                h.p["The dashboard printed it when it started; FRESHET_DASHBOARD_TOKEN sets one of your own."],
                refused and h.p(".tone-bad", role="alert")["That is not the token."],
                h.form(action="/login", method="post", id="login")[
                    h.input(type="hidden", name="to", value=to),
                    h.label(".field")[
                        h.span["Token"],
                        h.input(
                            type="password",
                            name="token",
                            value=token,
                            required=True,
                            autocomplete="current-password",
                            autofocus=True,
                        ),
                    ],
                    h.button(type="submit")["Open"],
                ],
            ]
        ],
    )
