"""`freshet top`."""

import asyncio
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from app.commands.flags import json_flag, with_settings
from app.commands.output import escaped, note, on_terminal, print_json, print_table

if TYPE_CHECKING:
    from app.top.numbers import Numbers

COLUMNS = ("partition", "log end", "in/s", "waits", "not saved", "worker")


@click.command()
@click.option("--metrics", "places", multiple=True, metavar="HOST:PORT", help="Where a worker serves its metrics.")
@click.option("--every", type=click.FloatRange(0.2, 3600), default=2.0, show_default=True, metavar="SECONDS")
@click.option("--once", is_flag=True, help="Two looks, so many seconds apart, and what they say; then end.")
@json_flag
@with_settings("broker", "namespace")
def top(settings: Any, places: tuple[str, ...], every: float, once: bool, as_json: bool) -> None:
    """Show what running workers do, live: rates, lag, freshness, hit rate, partitions. Ctrl-C ends it.

    What comes in, what is in no checkpoint and who is in the group is asked of Kafka. The rest is asked of workers that
    serve metrics: name each by --metrics; one on this machine is found by FRESHET_METRICS_LISTEN_PORT. A dash stands
    where nobody has told. With --json one line for each look.

    \b
    Examples:
      FRESHET_METRICS_LISTEN_PORT=9108 freshet worker      (one terminal)
      freshet top --metrics 127.0.0.1:9108                 (another)
      freshet top --once --json | jq .lag
    """
    from app.commands.kafka_call import run_on_kafka

    if not places and settings.metrics_listen_port:
        places = (f"{settings.metrics_listen_host}:{settings.metrics_listen_port}",)
    try:
        run_on_kafka(_watch(settings, places, every, once=once, as_json=as_json), settings.broker)
    except KeyboardInterrupt:
        sys.exit(0)


async def _watch(settings: Any, places: tuple[str, ...], every_s: float, *, once: bool, as_json: bool) -> None:
    from app.top.look import look
    from app.top.numbers import compare

    before = await look(settings, places)
    while True:
        await asyncio.sleep(every_s)
        now = await look(settings, places)
        found = compare(before, now)
        if as_json:
            print_json(asdict(found))
        else:
            _show(found, clear=on_terminal() and not once)
        if once:
            return
        before = now


def _show(found: "Numbers", *, clear: bool) -> None:
    if clear:
        click.clear()
    print_table(("", ""), headlines(found))
    rows = [
        (each.number, each.end, f"{each.in_per_s:,.0f}", _dash(each.lag), each.unsaved, _dash(each.worker))
        for each in found.partitions
    ]
    print_table(COLUMNS, rows, right=COLUMNS[:-1])
    for error in found.errors:
        note(error)


def headlines(found: "Numbers") -> list[tuple[str, str]]:
    """What stands above the partitions, each with its unit."""
    return [
        ("workers", f"{found.n_workers}, {escaped(found.state)}"),
        ("events in", f"{found.in_per_s:,.0f}/s"),
        ("folded", _dash(found.folded_per_s, "{:,.0f}/s")),
        ("lists", _dash(found.lists_per_s, "{:,.0f}/s")),
        ("records that wait", _dash(found.lag, "{:,}")),
        ("in no checkpoint", f"{found.unsaved:,}"),
        ("event to list, p50", _dash(found.p50_ms, "{:.3g} ms")),
        ("event to list, p99", _dash(found.p99_ms, "{:.3g} ms")),
        ("hit rate at 10", _dash(found.hit_rate, "{:.3f}")),
    ]


def _dash(value: object, form: str = "{}") -> str:
    return "-" if value is None else form.format(value)
