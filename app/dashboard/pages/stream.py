"""Stream: who does what, where the time goes, and what comes in."""

from collections.abc import Mapping, Sequence
from typing import Final

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.board import Board
from app.dashboard.charts import Series, line_chart
from app.dashboard.log import Event
from app.dashboard.lookup import Titles
from app.dashboard.moments import STAGES
from app.dashboard.page import Asked, Page
from app.dashboard.workers import Worker
from models.errors import ServiceError

N_TAIL: Final = 15
SAID: Final[Mapping[str, str]] = {
    "broker": "from its time in the log until it was fetched",
    "queue": "waiting for its turn",
    "fold": "folding its batch",
    "list": "making the list",
    "redis": "writing it",
    "total": "event to list, all of it",
}


def head(asked: Asked) -> Node:
    """The filter of the tail."""
    types = {"": "any type", **{name: name for name in sorted(asked.sources.board.log.types) if name}}
    wanted = asked.text("type")
    types.setdefault(wanted, wanted)
    return kit.search(
        "/stream",
        kit.choice("Show events of", "type", wanted, types),
        kit.field("with an id that holds", "find", asked.text("find"), maxlength="256", placeholder="user or item"),
        button="Filter",
    )


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    sources = asked.sources
    board = sources.board
    events = matching(board.log.events, asked.text("type"), asked.text("find"), masked=masked(asked))[:N_TAIL]
    try:
        titles = await sources.lookup.titles(event.item_id for event in events)
    except ServiceError:
        titles = {}
    return {
        "tail": tail(board, events, titles, masked=masked(asked)),
        "charts": charts(board),
        "partitions": partitions(board),
        "workers": workers(board),
        "happenings": happenings(board),
    }


def masked(asked: Asked) -> bool:
    """Whether users are not named."""
    return asked.sources.settings.dashboard_mask_users


def matching(events: Sequence[Event], kind: str, find: str, *, masked: bool) -> list[Event]:
    """Those that a filter lets through, newest first; users that are not named are not found by their names."""
    return [
        event
        for event in reversed(events)
        if (not kind or event.event_type == kind)
        and (not find or find in event.item_id or (not masked and find in event.user_id))
    ]


def tail(board: Board, events: Sequence[Event], titles: Titles, *, masked: bool) -> Element:
    """The newest events."""
    log = board.log
    note = f"{f.count(log.n_seen)} seen since the dashboard began"
    if log.n_passed:
        note += f"; {f.count(log.n_passed)} came too fast to be shown"
    if not events:
        return kit.card(
            "Live tail",
            kit.empty(
                "No event has come yet." if not log.n_seen else "No event matches.",
                ["Send some: ", kit.command("freshet replay --dataset ml-100k --speed 1000x")]
                if not log.n_seen
                else "Take the filter away, or wait: the newest 500 are looked at.",
            ),
            note=note,
        )
    rows = [
        (
            f.clock(event.at_ms),
            kit.shown_user(event.user_id, masked=masked),
            kit.badge(event.event_type or "no event", "" if event.event_type else "bad"),
            kit.shown_item(event.item_id, titles) if event.item_id else f.NOTHING,
            f.NOTHING if event.value is None else f"{event.value:g}",
            f"{event.partition}:{event.offset}",
        )
        for event in events
    ]
    columns = ("time (UTC)", "user", "type", "item", "value", "position")
    return kit.card(
        "Live tail", kit.table(columns, rows, caption="The newest events", right=("value",), stacks=True), note=note
    )


def charts(board: Board) -> Element:
    """Where the time goes, and what checkpoints take."""
    recent = board.recent
    times = [f.clock(moment.at_ms) for moment in recent]
    stages = board.now.stages_ms
    longest = max((p50 for stage, (p50, _) in stages.items() if stage != "total"), default=0.0) or 1.0
    rows = [
        (
            h.span[stage, h.span(".hint")[SAID[stage]]],
            f.duration(stages[stage][0]),
            f.duration(stages[stage][1]),
            kit.bar(stages[stage][0] / longest, f"{stage}: {f.duration(stages[stage][0])}", "c2")
            if stage != "total"
            else None,
        )
        for stage in STAGES
        if stage in stages
    ]
    columns = ("stage", "p50", "p99", "")
    waiting = kit.empty("Nothing was measured in the last minute.", "Times appear with the first events.")
    intake = [moment.intake_per_s for moment in recent]
    return h.div(".grid.two")[
        kit.card(
            "Where the time goes",
            kit.table(columns, rows, caption="Times by stage, the last minute", right=columns[1:3])
            if rows
            else waiting,
            note="Of the last minute, between bounds of the workers' histograms.",
        ),
        kit.card(
            "Checkpoints",
            line_chart(
                "mean time of a checkpoint",
                times,
                [Series("from cut to commit", [moment.checkpoint_ms for moment in recent], "c3")],
                f.duration,
            ),
            note=f"State and offset in one transaction, {f.size(board.now.checkpoint_bytes)} each in the last minute.",
        ),
        any(each is not None for each in intake)
        and kit.card(
            "Intake",
            line_chart("records of sources a second", times, [Series("records", intake, "c6")], f.count),
            note="Records of topics of other names and forms, written as plain events.",
        ),
    ]


def partitions(board: Board) -> Element:
    """Each partition of the log: who holds it, what waits, what is saved."""
    owners = {
        number: worker.address
        for worker in board.answering
        for (number,) in worker.samples.get("freshet_lag_records", {})
    }
    if not board.log.ranges:
        return kit.card("Partitions", kit.empty("Kafka has not told of any.", board.log.error or "It is being asked."))
    rows = [
        (
            str(number),
            owners.get(str(number)) or kit.badge("nobody", "warn"),
            f.count(_of(board.answering, "freshet_lag_records", str(number))),
            f"{found.end - found.start:,}",
            f"{max(0, found.end - found.committed):,}" if found.committed is not None else f.NOTHING,
            f.count(_of(board.answering, "freshet_users", str(number))),
            f.count(_of(board.answering, "freshet_items", str(number))),
            kit.badge("stopped", "bad")
            if _of(board.answering, "freshet_partition_stopped", str(number))
            else kit.badge("folding", "good")
            if str(number) in owners
            else kit.badge("waits", "warn"),
        )
        for number, found in sorted(board.log.ranges.items())
    ]
    columns = ("partition", "worker", "waiting", "in the log", "unsaved", "users", "items", "state")
    right = ("waiting", "in the log", "unsaved", "users", "items")
    return kit.card(
        "Partitions",
        kit.table(columns, rows, caption="Partitions of the log", right=right),
        note=f"Group {board.log.group_state or 'unknown'}, members: {len(board.log.members)}. Unsaved: behind the last "
        "checkpoint; a crash folds it again.",
    )


def _of(found: Sequence[Worker], name: str, label: str) -> float | None:
    known = [value for worker in found if (value := worker.value(name, label)) is not None]
    return sum(known) if known else None


def workers(board: Board) -> Element:
    """Each worker."""
    if not board.workers:
        return kit.card("Workers", kit.empty("No worker is asked.", "Name them in FRESHET_DASHBOARD_WORKERS."))
    rows = [
        (
            worker.address,
            kit.badge("away", "bad")
            if worker.error
            else kit.badge("ready", "good")
            if worker.value("freshet_ready")
            else kit.badge("not ready", "warn"),
            worker.error or f"{worker.value('freshet_partitions') or 0:g}",
            f.NOTHING if worker.error else f"{worker.value('freshet_group_generation') or 0:g}",
            f.NOTHING if worker.error else f"{worker.value('freshet_rebalances_total') or 0:g}",
            f.duration((load := worker.value("freshet_load_seconds")) and 1000 * load),
            f.size(worker.value("process_resident_memory_bytes")),
        )
        for worker in board.workers
    ]
    columns = ("worker", "state", "partitions", "generation", "rebalances", "last load", "memory")
    right = ("generation", "rebalances", "last load", "memory")
    return kit.card("Workers", kit.table(columns, rows, caption="Workers", right=right))


def happenings(board: Board) -> Element:
    """What happened to workers and their group."""
    found = list(reversed(board.happenings))[:12]
    return kit.card(
        "What happened",
        h.ol(".happenings")[[h.li[h.time[f.clock(each.at_ms)], " ", each.what] for each in found]]
        if found
        else kit.empty("Nothing yet.", "Workers that come, go, start again or get other partitions are noted here."),
    )


STREAM: Final = Page(
    "/stream",
    "Stream",
    "stream",
    "Who folds what, where the time goes, and what comes in?",
    parts,
    head,
    ("type", "find"),
    lively=True,
)
