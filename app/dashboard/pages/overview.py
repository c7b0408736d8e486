"""Overview: is the stream healthy, how fresh and how good are the lists, and what is to be done."""

from collections.abc import Mapping, Sequence
from typing import Final

import htpy as h
from htpy import Element, Node

from app.dashboard import figures as f
from app.dashboard import kit
from app.dashboard.alarms import Alarm
from app.dashboard.board import Board
from app.dashboard.charts import Series, line_chart, sparkline
from app.dashboard.moments import LIST, POPULARITY, Moment, fold_rates
from app.dashboard.page import Asked, Page

FAST: Final = 50.0
FRESH_MS: Final = 1000.0


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date."""
    board = asked.sources.board
    return {
        "alarms": alarms(board.alarms, len(board.answering)),
        "flow": flow(board),
        "figures": figures(board),
        "charts": charts(board.recent),
    }


def alarms(found: Sequence[Alarm], n_workers: int) -> Element:
    """All that is wrong, each with what to do; or that nothing is."""
    if not found:
        workers = f"{n_workers} worker{'' if n_workers == 1 else 's'}"
        return h.section(".card.tone-good.verdict", aria_label="Alarms")[
            h.h2["All is well"], h.p(".note")[f"{workers}, Kafka and Redis answer, and no alarm is on."]
        ]
    return h.section(".card.alarms", aria_label="Alarms")[
        h.h2[f"{len(found)} alarm{'' if len(found) == 1 else 's'}"],
        h.ul[
            [
                h.li(class_=f"tone-{'bad' if alarm.severity == 'page' else 'warn'}")[
                    h.p[kit.badge(alarm.name.removeprefix("Freshet")), " ", h.strong[alarm.what]],
                    h.p(".do")[kit.prose(alarm.do)],
                ]
                for alarm in found
            ]
        ],
    ]


def flow(board: Board) -> Element:
    """The way of an event, as a picture with what flows now."""
    now = board.now
    up = [worker.value("freshet_redis_up") for worker in board.answering]
    redis_up = board.redis_error is None and all(each != 0 for each in up)
    stations: list[tuple[str, str, str, str]] = [
        ("Kafka", f.count(now.events_per_s), "events a second", "bad" if board.log.error else "good"),
        ("Fold", f.count(now.lag), "records wait", "warn" if (now.lag or 0) > 1000 else "good"),
        ("Lists", f.count(now.lists_per_s), "lists a second", "good"),
        ("Redis", "up" if redis_up else "away", "readers get lists", "good" if redis_up else "bad"),
    ]
    speed = "still" if not now.events_per_s else "fast" if now.events_per_s >= FAST else "slow"
    return h.section(class_=["card", "flow", speed], aria_label="The way of an event")[
        h.ol[
            [
                h.li(class_=f"tone-{tone}")[h.span(".station")[name], h.span(".amount")[amount], h.span(".note")[what]]
                for name, amount, what, tone in stations
            ]
        ]
    ]


def figures(board: Board) -> Element:
    """The numbers that matter."""
    now, recent = board.now, board.recent
    fresh = now.fresh_ms
    tests, rates = fold_rates(board.answering)
    lists, popular = now.rates.get(LIST, rates.get(LIST)), now.rates.get(POPULARITY, rates.get(POPULARITY))
    return h.div(".grid.figures.six")[
        kit.figure(
            "Throughput",
            f"{f.count(now.events_per_s)}/s",
            f"{f.count(sum(w.total('freshet_events_total') for w in board.answering))} events since the workers began",
            chart=sparkline([m.events_per_s for m in recent], "events a second, the last minutes"),
            name="events_per_s",
        ),
        kit.figure(
            "Lag",
            f.count(now.lag),
            "records that wait to be folded",
            chart=sparkline([m.lag for m in recent], "records that wait, the last minutes", "c4"),
            tone="warn" if (now.lag or 0) > 1000 else "",
            name="lag",
        ),
        kit.figure(
            "Freshness",
            f.duration(fresh and fresh[0]),
            f"event to list, half of them; 99 %: {f.duration(fresh[1])}"
            if fresh
            else "no list was made in the last minute",
            chart=sparkline([m.fresh_ms and m.fresh_ms[0] for m in recent], "event to list, p50", "c2"),
            tone="warn" if fresh and fresh[1] > FRESH_MS else "",
            name="fresh_p50",
        ),
        kit.figure(
            "Hit rate at 10",
            f.share(lists),
            _against(lists, popular, tests),
            chart=sparkline([m.rates.get(LIST) for m in recent], "hit rate at 10, the last minutes", "c5"),
            name="hit_rate",
        ),
        kit.figure(
            "People and items",
            f.count(now.users),
            f"users in state; {f.count(_items(board))} items in the largest partition",
            chart=sparkline([m.users for m in recent], "users in state, the last minutes", "c6"),
            name="users",
        ),
        kit.figure(
            "Lists published",
            f.count(sum(w.total("freshet_lists_published_total") for w in board.answering)),
            f"{f.count(sum(w.total('freshet_lists_unpublished') for w in board.answering))} wait to go out",
            chart=sparkline([m.lists_per_s for m in recent], "lists a second, the last minutes", "c2"),
            name="lists",
        ),
    ]


def _items(board: Board) -> float:
    return max((n for w in board.answering for n in w.samples.get("freshet_items", {}).values()), default=0)


def _against(lists: float | None, popular: float | None, tests: float) -> str:
    if lists is None:
        return "no event was scored yet: FRESHET_EVALUATE_FRACTION says whose are"
    if not popular:
        return f"of {f.count(tests)} tests; popularity hit none"
    return f"{lists / popular:.1f} times popularity ({f.share(popular)}), of {f.count(tests)} tests"


def charts(recent: Sequence[Moment]) -> Element:
    """The last minutes."""
    times = [f.clock(moment.at_ms) for moment in recent]
    per_s = "events and lists a second"
    return h.div(".grid.two")[
        kit.card(
            "Events and lists a second",
            line_chart(
                per_s,
                times,
                [
                    Series("events", [m.events_per_s for m in recent], "c1"),
                    Series("lists", [m.lists_per_s for m in recent], "c2"),
                ],
                f.count,
            ),
        ),
        kit.card(
            "Event to list",
            line_chart(
                "time from event to list",
                times,
                [
                    Series("p50", [m.fresh_ms and m.fresh_ms[0] for m in recent], "c2"),
                    Series("p99", [m.fresh_ms and m.fresh_ms[1] for m in recent], "c4"),
                ],
                f.duration,
            ),
        ),
    ]


OVERVIEW: Final = Page(
    "/", "Overview", "overview", "Is the stream healthy, and how fresh and how good are the lists?", parts
)
