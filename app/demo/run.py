"""The steps of the demo."""

import asyncio
import sys
import time
from pathlib import Path

from rich.console import Console

from app.client import Reader
from app.demo.click import Click, one_click
from app.demo.numbers import RATE, SECONDS, show_freshness, show_speed
from app.demo.quality import measured, one_partition
from app.demo.show import show_list, show_trending
from app.local.session import LocalSession
from app.replay.ordered import OrderedLog
from app.replay.pacing import Pacer
from app.replay.progress import Bar, shown
from app.replay.readers import open_log
from app.replay.records import EventLog
from app.replay.send import log_producer, send_catalogue, send_events
from app.replay.show import show_quality, show_ratings
from app.settings import load_settings
from models.errors import ServiceError

POLL_S = 0.1
FOLD_TIMEOUT_S = 300.0
PEOPLE = ("1", "405", "655")


def run_demo(folder: Path, dataset: str, partitions: int) -> None:
    """Run the demo: lists, trends, a click, then how good, how fresh and how fast it was.

    Raises
    ------
    FreshetError
        If something cannot be fetched, started or reached.
    """
    console = Console()
    console.rule("[bold]Freshet: events in through Kafka, fresh lists out of Redis")
    log = OrderedLog(open_log(None, dataset=dataset, columns={}, event_type=None))
    console.print(f"[bold]1.[/] The log: {log.name}, {log.n_records():,} events. Starting Kafka, Redis, a worker ...")
    settings = load_settings(partitions=partitions, namespace="", evaluate_fraction=1.0)
    with LocalSession(folder, settings) as session, Reader(session.settings.redis) as reader:
        console.print(
            f"   Kafka {session.settings.broker}, Redis {session.settings.redis.shown}, worker {_pid(session)}"
        )
        console.print("[bold]2.[/] Replaying it through Kafka; the worker folds, learns and publishes as it comes.")
        n, seconds = _replay(log, session)
        console.print(f"   {n:,} events folded, saved and published in {seconds:.1f} s: {n / seconds:,.0f} a second.")
        _await_features(session)
        console.print("[bold]3.[/] Finished lists in Redis: one GET each.")
        for user_id in PEOPLE:
            show_list(console, reader, user_id)
        console.print("[bold]4.[/] What trends, as of the end of the log:")
        show_trending(console, reader)
        console.print(
            "[bold]5.[/] How good the lists were that each partition makes of what it knows itself, without the "
            "factors that one learner has for all: every liked item, against the list of just before."
        )
        quality, ratings = asyncio.run(measured(session.settings))
        with console.status("the same log in one partition, to compare ..."):
            beside = {"1": one_partition(log, session.settings)} if partitions > 1 else {}
        show_quality(console, quality, partitions, beside)
        show_ratings(console, ratings)
        console.print(
            "   Those in Redis draw on all partitions and the factors, and weigh their sources by what people took: "
            f"`freshet evaluate --dataset ml-100k --partitions {partitions}` scores them."
        )
        console.print("[bold]6.[/] One click, and how long until it shows in the list:")
        _show_click(console, asyncio.run(one_click(session.settings, reader, PEOPLE[0])), reader)
        assert session.worker is not None
        session.worker.stop()
        console.print("   The demo's worker is stopped: what follows starts workers of its own, which need the CPU.")
        console.print(f"[bold]7.[/] How fresh: {SECONDS:g} s of clicks and more, at {RATE:g} events a second.")
        show_freshness(console, session.settings)
        console.print(
            "[bold]8.[/] How fast: the same log as a backlog, for Freshet and for plain Faust, which only counts."
        )
        show_speed(console, session.settings)
        if sys.stdin.isatty() and console.is_terminal:
            _show_dashboard(console, session)
    console.rule("[bold]That was it")
    console.print(
        "Everything is stopped and removed. `freshet up` keeps such a stack running, dashboard included; "
        "`freshet --help` says more."
    )


def _show_dashboard(console: Console, session: LocalSession) -> None:
    """Keep the demo's worker and a dashboard up until Enter."""
    with console.status("the demo's worker is started again, with a dashboard ..."):
        session.start_worker()
        opened_by = session.start_dashboard()
    if opened_by is None:
        return
    console.print("[bold]9.[/] The dashboard, on what was replayed; a click on a page of People changes its list:")
    console.print(f"   {opened_by}", soft_wrap=True, highlight=False)
    console.print("   Enter ends the demo.")
    input()


def _pid(session: LocalSession) -> int:
    return session.worker.pid if session.worker else 0


def _replay(log: EventLog, session: LocalSession) -> tuple[int, float]:
    started = time.monotonic()
    with shown() as display:
        sent = Bar(display, "sent", log.n_records())
        folded = Bar(display, "folded", log.n_records())
        n = asyncio.run(_send(log, session, sent))
        while not _is_done(session, n, folded):
            if time.monotonic() - started > FOLD_TIMEOUT_S:
                assert session.worker is not None
                raise session.worker.failure(f"has not folded {n} events within {FOLD_TIMEOUT_S:g} s")
            session.watch()
            time.sleep(POLL_S)
    return n, time.monotonic() - started


def _is_done(session: LocalSession, n: int, bar: Bar) -> bool:
    progress = session.worker.progress if session.worker else {}
    done = sum(progress.get("durable", {}).values())
    bar.show(done)
    return done >= n and not progress.get("unpublished")


def _await_features(session: LocalSession) -> None:
    """Return when titles, similarities and counts are in Redis as well; they wait until the events are folded."""
    deadline = time.monotonic() + FOLD_TIMEOUT_S
    while session.worker is not None and session.worker.progress.get("stale") and time.monotonic() < deadline:
        time.sleep(POLL_S)


async def _send(log: EventLog, session: LocalSession, bar: Bar) -> int:
    names = session.settings.names
    async with log_producer(session.settings.kafka, session.settings.partitioner) as producer:
        await send_catalogue(producer, names.catalogue, log.catalogue())
        n, _ = await send_events(producer, names.events, log, Pacer(None), bar.advance)
    return n


def _show_click(console: Console, seen: Click, reader: Reader) -> None:
    titles = reader.titles([seen.item_id, *seen.new_items])
    title = titles.get(seen.item_id, seen.item_id)
    if seen.milliseconds is None:
        raise ServiceError(f"the list of {seen.user_id} did not react to a click within {seen.waited_s:g} s")
    new = ", ".join(titles.get(item, item) for item in seen.new_items[:3]) or "the same items, in another order"
    console.print(f"   {seen.user_id} clicks '{title}', the first of the list.", markup=False)
    console.print(
        f"   {seen.milliseconds:.0f} ms after send() the list in Redis is a new one: without it, and with {new}.",
        markup=False,
    )
