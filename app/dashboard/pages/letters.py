"""Dead letters: what could not be folded, why, what to set, and sending it again."""

import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.access import FIELD
from app.dashboard.letters import Reason, Redrive, Summary
from app.dashboard.page import Asked, Page
from app.dead_letters import DeadLetter

MAX_CHARS: Final = 300
CONFIRM: Final = "confirm"
ALL: Final = ""


def head(asked: Asked) -> Node:
    """What is to be confirmed, if something is."""
    if asked.text(CONFIRM) != "yes" or not asked.sources.settings.dashboard_changes:
        return None
    reason = asked.text("reason")
    which = f"those of reason {reason}" if reason else "all of them"
    return h.section(".card.tone-warn.confirm", aria_label="Confirm")[
        h.h2["Send dead letters again?"],
        h.p[
            f"Each of {which} that is a valid event under today's settings is sent to the log once more, and folded as "
            "what comes now. What is still no valid event stays. It cannot be taken back."
        ],
        h.form(".buttons", action="/dead-letters/redrive", method="post")[
            h.input(type="hidden", name=FIELD, value=asked.form),
            h.input(type="hidden", name="reason", value=reason),
            h.button(".danger", type="submit")["Send again"],
            h.a(".button", href="/dead-letters")["Leave them"],
        ],
    ]


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    letters = asked.sources.letters
    summary = await letters.summary()
    may_change = asked.sources.settings.dashboard_changes
    return {
        "redrive": None if letters.last is None else under_way(letters.last),
        "counts": counts(summary, may_change=may_change),
        "reasons": [
            one(reason, may_change=may_change, masked=asked.sources.settings.dashboard_mask_users)
            for reason in summary.reasons
        ],
    }


def under_way(redrive: Redrive) -> Element:
    """What the last redrive has done so far."""
    sent, stay = redrive.tally.redriven.total(), redrive.tally.stay.total()
    state = "failed" if redrive.error else "done" if redrive.is_done else "under way"
    tone = "bad" if redrive.error else "good" if redrive.is_done else "warn"
    kept = ", ".join(f"{reason} {n:,}" for reason, n in sorted(redrive.tally.stay.items()))
    return h.section(class_=["card", f"tone-{tone}"], role="status")[
        h.h2[f"Sending again: {state}"],
        h.p[f"{sent:,} sent, {stay:,} are still no valid events" + (f" ({kept})" if kept else "") + "."],
        redrive.error and h.p(".note")[redrive.error],
        not redrive.is_done and kit.bar(redrive.share, f"{100 * redrive.share:.0f} % read", "c1"),
    ]


def counts(summary: Summary, *, may_change: bool) -> Element:
    """How many there are of each reason."""
    if not summary.n:
        sent = f"{summary.n_redriven:,} were sent again before." if summary.n_redriven else None
        return h.section(".card.tone-good.verdict")[h.h2["No dead letters"], h.p["Every record was an event."], sent]
    most = summary.reasons[0].n
    rows = [
        (
            h.a(href=f"#{reason.name}")[reason.name],
            f"{reason.n:,}",
            f"{f.span(time.time() - reason.newest_ms / 1000)} ago",
            kit.bar(reason.n / most, f"{reason.name}: {reason.n}", "c4"),
        )
        for reason in summary.reasons
    ]
    columns = ("reason", "how many", "newest", "")
    return kit.card(
        f"{summary.n:,} dead letters",
        kit.table(columns, rows, caption="Dead letters by reason", right=columns[1:3]),
        may_change and again("Send all again that are valid now", ALL),
        note=f"{summary.n_redriven:,} more were sent again before." if summary.n_redriven else None,
    )


def one(reason: Reason, *, may_change: bool, masked: bool) -> Element:
    """One reason: what to do, and samples."""
    samples = [
        h.li[
            not masked and h.p[letter.message],
            h.p(".note")[f"{f.day(letter.sent_ms)} UTC · {letter.topic} {letter.partition}:{letter.offset}"],
            not masked and h.pre(tabindex="0")[h.code[value_of(letter)]],
        ]
        for letter in reason.samples
    ]
    return h.section(".card.reason", id=reason.name, aria_label=reason.name)[
        h.h2[reason.name, " ", kit.badge(f"{reason.n:,}", "warn")],
        h.p(".do")[h.strong["What to do: "], kit.prose(reason.advice)],
        h.h3["The newest"],
        h.ul(".samples")[samples],
        may_change and again("Send those again that are valid now", reason.name),
    ]


def again(said: str, reason: str) -> Element:
    """A link to the question whether to send letters again."""
    query = {CONFIRM: "yes", **({"reason": reason} if reason else {})}
    return h.p[h.a(".button", href=f"/dead-letters?{urlencode(query, errors='surrogatepass')}")[said]]


def value_of(letter: DeadLetter) -> str:
    """The beginning of the bytes, as text."""
    text = (letter.value or b"")[: 4 * MAX_CHARS].decode("utf-8", "backslashreplace")
    return text if len(text) <= MAX_CHARS else f"{text[:MAX_CHARS]} ..."


LETTERS: Final = Page(
    "/dead-letters",
    "Dead letters",
    "letters",
    "What could not be folded, why, and what to do?",
    parts,
    head,
    (CONFIRM, "reason"),
)
