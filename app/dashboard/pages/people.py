"""People: one user, the list in force and why it is what it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.access import FIELD
from app.dashboard.clicks import Click
from app.dashboard.lookup import Person
from app.dashboard.page import Asked, Page
from app.gateway.view import USER

WINDOWS: Final = ("1m", "1h", "1d", "7d", "all")
N_RECENT: Final = 12
N_SEEN: Final = 8


def head(asked: Asked) -> Node:
    """The search."""
    user = kit.field("User", "user", asked.text("user"), maxlength="256", placeholder="user_id", required="required")
    return kit.search("/people", user, button="Show")


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    user_id = asked.text("user")
    if not user_id:
        return {"person": nobody(asked)}
    if (card := kit.misnamed("user", user_id)) is not None:
        return {"person": card}
    person = await asked.sources.lookup.person(user_id)
    click = asked.sources.clicks.last(user_id)
    return {
        "reaction": reaction(person, click),
        "person": h.div(".beside")[
            recommendations(asked, person, click), h.div(".stack")[counts(person), recent(person)]
        ],
    }


def nobody(asked: Asked) -> Element:
    """Whom to look at: those who were seen last."""
    if asked.sources.settings.dashboard_mask_users:
        return kit.card(
            "Somebody", kit.empty("Type a user_id.", "Users are not named here (FRESHET_DASHBOARD_MASK_USERS).")
        )
    seen = list(dict.fromkeys(event.user_id for event in reversed(asked.sources.board.log.events) if event.event_type))
    if not seen:
        return kit.card(
            "Nobody yet",
            kit.empty("No event has come yet.", ["Send some: ", kit.command("freshet replay --dataset ml-100k")]),
        )
    return kit.card(
        "Who was just here",
        h.ul(".chips")[[h.li[kit.link("/people", user, user=user)] for user in seen[: 2 * N_RECENT]]],
        note="Users of the newest events. Open one to see the list in force, and why.",
    )


def reaction(person: Person, click: Click | None) -> Node:
    """What the last click made here has changed."""
    if click is None:
        return None
    title = person.titles.get(click.item_id, click.item_id)
    if click.took_ms is None:
        said: Node = f"No list answered the click on {title} within five seconds: see the alarms, and the lag."
        return h.section(".card.tone-warn", role="status")[h.h2["Waiting"], h.p[said]]
    new = len(click.new_items)
    return h.section(".card.tone-good.reaction", role="status")[
        h.h2[f"The list answered in {f.duration(click.took_ms)}"],
        h.p[
            "From sending the click on ",
            h.strong[title],
            f" (position {click.position}) to the new list in Redis: without it, and with ",
            h.strong[f"{new} new item{'' if new == 1 else 's'}" if new else "the others in another order"],
            ".",
        ],
    ]


def recommendations(asked: Asked, person: Person, click: Click | None) -> Element:
    """The list in force."""
    found = person.found
    if found is None:
        return kit.card(
            "No list",
            kit.empty("Nothing is published yet.", "A worker writes the default list a second after its start."),
        )
    stored = found.stored
    own = found.rung == USER
    new = click.new_items if click is not None else frozenset()
    best = max((item["score"] for item in person.items), default=0.0) or 1.0
    source = stored["source"]
    facts = [
        "This user's own list" if own else "The default list: this user has none of their own yet",
        f"made {f.day(stored['generated_at_ms'])} UTC",
        f"from event {source['partition']}:{source['offset']}",
        f"model {stored['model']}",
        f"variant {stored['variant']}",
    ]
    items = [row(asked, person, place, item, best, new) for place, item in enumerate(person.items, 1)]
    return kit.card(
        "List in force" if own else "Default list",
        h.p(".note")[" · ".join(facts)],
        h.ol(".list")[items]
        if items
        else kit.empty("The list is empty.", "There is nothing yet that could be offered."),
    )


def row(asked: Asked, person: Person, place: int, item: Mapping[str, Any], best: float, new: frozenset[str]) -> Element:
    """One item of the list: its place, score, source and reasons."""
    title = person.titles.get(item["id"], item["id"])
    because: list[Node] = []
    for reason in item["because"]:
        because += [", " if because else "because of ", kit.shown_item(reason, person.titles)]
    return h.li(class_={"is-new": item["id"] in new})[
        h.span(".place")[str(place)],
        h.div(".what")[
            h.span(".title")[kit.shown_item(item["id"], person.titles)],
            item["id"] in new and kit.badge("new", "good"),
            h.span(".why")[kit.source_badge(item["source"]), " ", because],
        ],
        h.div(".score")[
            h.span[f"{item['score']:.4g}"], kit.bar(item["score"] / best, f"score {item['score']:.4g}", "c2")
        ],
        asked.sources.settings.dashboard_changes
        and h.form(action="/people/click", method="post", data_quiet=True)[
            h.input(type="hidden", name=FIELD, value=asked.form),
            h.input(type="hidden", name="user", value=person.user_id),
            h.input(type="hidden", name="item", value=item["id"]),
            h.button(type="submit", aria_label=f"Click {title} as this user")["Click"],
        ],
    ]


def recent(person: Person) -> Element:
    """The newest items of the user's history."""
    if not person.recent:
        return kit.card(
            "Newest items",
            kit.empty("No event of this user was folded.", "Their first event makes them a list of their own."),
        )
    items = [h.li[kit.shown_item(item, person.titles)] for item in person.recent[:N_RECENT]]
    return kit.card("Newest items", h.ol(".plain")[items], note="What pairs and history factors start from.")


def counts(person: Person) -> Element:
    """Events by type and window."""
    features = person.features
    if not features:
        return kit.card("Profile", kit.empty("Nothing is known.", "Counts appear a second after the first event."))
    last = f.day(features.get("last_event_ms", 0))
    return kit.card(
        "Events by type and window",
        kit.table(("type", *WINDOWS), windows_of(features), caption="Events by type and window of time", right=WINDOWS),
        note=f"{features.get('n_events', 0):,} events, the last one {last} UTC.",
    )


def windows_of(counts: Mapping[str, int]) -> Sequence[Sequence[Node]]:
    """A row per type of event, the most frequent first."""
    types = [name.removesuffix("_all") for name in counts if name.endswith("_all")]
    ordered = sorted(types, key=lambda kind: (-counts[f"{kind}_all"], kind))[:N_SEEN]
    return [(kind, *(f.count(counts.get(f"{kind}_{window}", 0)) for window in WINDOWS)) for kind in ordered]


PEOPLE: Final = Page(
    "/people", "People", "people", "Why does this person see these items?", parts, head, ("user",), lively=True
)
