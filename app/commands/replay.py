"""`freshet replay`."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import orjson
from click.core import ParameterSource

from app.commands.flags import shares_every_flag
from app.commands.log_flags import log_flags, opened_log, sorted_log, told_order
from app.commands.output import fail
from app.replay import EventLog, LogRecord, SourceLog, parse_speed
from app.replay.beside import Beside, folded_beside
from app.replay.progress import Bar, shown
from app.settings import Settings, load_settings
from models.errors import SettingsError

PARTITIONS = click.IntRange(1, 1000)
INLINE, ISOLATED = "--inline", "--isolated"
_GOES_WITH = {
    "partitions": (INLINE, ISOLATED),
    "chunk": (INLINE,),
    "beside": (INLINE,),
    "shares_every": (INLINE,),
    "local": (ISOLATED,),
}
_ADVICE = {
    "partitions": "The topic has its own number; FRESHET_PARTITIONS is that of a topic that is created.",
    "chunk": "FRESHET_CHUNK_RECORDS is what a worker goes by.",
    "beside": "The evaluation of a log needs no Kafka.",
    "shares_every": "A worker sees what others did when they save.",
    "local": "`freshet up` keeps a local stack running.",
}


@click.command()
@log_flags
@click.option("--speed", default="max", show_default=True, help="Pace by event time: 1x, 10x, max.")
@click.option("--inline", is_flag=True, help="Fold in this process, without Kafka, Redis; print result and digest.")
@click.option("--isolated", is_flag=True, help="Fold in a namespace and by a worker of its own; remove it after.")
@click.option(
    "--partitions",
    type=PARTITIONS,
    default=1,
    show_default=True,
    help="With --inline or --isolated; named with --inline, even as 1, it has lists scored as they are published.",
)
@click.option("--chunk", type=click.IntRange(1), default=1000, show_default=True, help="Records per chunk, --inline.")
@click.option(
    "--beside",
    type=PARTITIONS,
    multiple=True,
    metavar="PARTITIONS",
    help="With --inline: hit rates in so many partitions as well, of the fold's own list and of the published one, "
    "by another process meanwhile; repeatable.",
)
@shares_every_flag
@click.option("--local", is_flag=True, help="With --isolated: on a Kafka and a Redis started for this run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines; the last one is the result.")
def replay(
    speed: str,
    inline: bool,
    isolated: bool,
    partitions: int,
    chunk: int,
    beside: tuple[int, ...],
    shares_every: int,
    local: bool,
    as_json: bool,
    **which: Any,
) -> None:
    """Replay a recorded event LOG: JSONL, text in columns, OTTO sessions, MovieLens, plain, gzip, zstd; Parquet, Arrow.

    Columns of text stand between commas, tabs, semicolons or pipes, behind a header or named by --columns. A field
    that stands deeper is named by its path, as in [sources]; --each makes an event of every element of an array.
    docs/bring-your-data.md has the command for sixteen public data sets and exports.

    Events go in the order of time, equal times in that of the file; records without a time stay behind the one before
    them. Up to 256 MB are sorted in memory, more in a temporary file. --order file takes them as they stand.

    Without --inline or --isolated the events, and the catalogue that comes with the log, go to Kafka, for the workers
    there. With either, the log is folded from an empty state, and counts and digests are printed: the same log gives
    the same digest, however it is cut, with one partition also through Kafka, and after any crash.

    --inline scores the fold's own list, made of one partition's events alone. With --partitions or --beside it also
    scores the list that people would get, as `freshet evaluate` does: records folded one by one, the partitions
    interleaved as in the log, each seeing what the others did every --shares-every records (`published` in the JSON
    line). That takes ten to twenty times as long; FRESHET_EVALUATE_FRACTION=0.1 scores a tenth of the users, 0 nobody.

    \b
    Examples:
      freshet replay --dataset ml-100k --inline
      freshet replay --dataset ml-100k --inline --partitions 4
      freshet replay --dataset ml-100k --inline --beside 4 --beside 16
      freshet replay clicks.csv.gz --column user_id=visitor --column item_id=page --event-type click --speed 10x
      freshet replay yoochoose.dat --columns user_id,timestamp,item_id,- --event-type view --timestamp-unit iso
      freshet replay trivago.csv --where "action == 'clickout item'" --event-type click --timestamp-unit s
      freshet replay shop.csv --types transaction=purchase --types addtocart=add_to_cart
      freshet replay views.parquet --column user_id=visitor --event-type view --inline
      freshet replay orders.jsonl --each lines --column item_id=each.sku --column user_id=customer.id
      freshet replay visits.csv --event-type view --timestamp-unit '%m/%d/%Y %I:%M:%S %p'
      freshet replay ga4.jsonl --source web --inline
      freshet replay events.jsonl.zst --isolated --partitions 4 --local
    """
    if inline and isolated:
        raise click.UsageError("--inline and --isolated are two ways to do it: choose one.")
    _refuse_flags(INLINE if inline else ISOLATED if isolated else "")
    pace = parse_speed(speed)
    settings = load_settings()
    opened = opened_log(settings, **which)
    if (inline or isolated) and "evaluate_fraction" not in settings.model_fields_set:
        settings = settings.model_copy(update={"evaluate_fraction": 1.0})
    sorted_log(opened)
    with shown() as display:
        if inline:
            bar = Bar(display, "folded", opened.n_records(), opened)
            others = folded_beside(_log_words(), settings, beside, shares_every)
            result = _inline(opened, settings, partitions, chunk, shares_every, bar, pace, others)
        elif isolated:
            result = _isolated(opened, settings, partitions, pace, local, display, as_json)
        else:
            from app.commands.kafka_call import run_on_kafka

            bar = Bar(display, "sent", opened.n_records(), opened)
            result = run_on_kafka(_to_kafka(opened, settings, pace, bar), settings.broker)
    result |= told_order(opened)
    reader = opened.reader
    if isinstance(reader, SourceLog):
        result |= {"rows": reader.n_rows, "rows_refused": reader.n_refused}
    if opened.n_skipped:
        result["rows_skipped"] = opened.n_skipped
    _print(result, as_json)
    if isinstance(reader, SourceLog) and reader.refused:
        fail(reader.refused)


def _refuse_flags(way: str) -> None:
    """Flags that were given and would be ignored."""
    for name, ways in _GOES_WITH.items():
        if way not in ways and _is_named(name):
            flag = name.replace("_", "-")
            raise click.UsageError(f"--{flag} goes with {' or '.join(ways)}. {_ADVICE[name]}")
    if _is_named("shares_every") and not (_is_named("partitions") or _is_named("beside")):
        raise click.UsageError("--shares-every goes with --partitions or --beside: what others did is seen of others.")


def _is_named(flag: str) -> bool:
    return click.get_current_context().get_parameter_source(flag) is ParameterSource.COMMANDLINE


def _log_words() -> list[str]:
    """Which log, and how to read it, for another process."""
    given = click.get_current_context().params
    words = [
        f"--format={given['log_format']}",
        f"--timestamp-unit={given['timestamp_unit']}",
        f"--order={given['order']}",
    ]
    words += [f"--column={column}" for column in given["columns"]]
    words += [f"--{name}={value}" for name in ("types", "ignore", "where") for value in given[name]]
    words += [
        f"--{name.replace('_', '-')}={given[name]}"
        for name in ("dataset", "event_type", "source", "delimiter", "each")
        if given[name] is not None
    ]
    words += [f"--columns={given['names']}"] if given["names"] is not None else []
    words += ["--no-quotes"] if given["no_quotes"] else []
    return [*words, "--", str(given["log"])] if given["log"] is not None else words


def _inline(
    log: EventLog,
    settings: Settings,
    partitions: int,
    chunk: int,
    shares_every: int,
    bar: Bar,
    pace: float | None,
    others: contextlib.AbstractContextManager[Callable[[], Beside]],
) -> dict[str, Any]:
    from app.replay.inline import replay_inline

    if pace is not None:
        raise SettingsError("--speed paces what is sent to Kafka; --inline folds as fast as it goes. Leave one out.")

    start_ms = int(time.time() * 1000)
    served = None
    if settings.evaluate_fraction and (_is_named("partitions") or _is_named("beside")):
        from app.evaluate.catalogue import categories_of_log
        from app.evaluate.published import ScoredBeside

        served = ScoredBeside(settings, categories_of_log(log), partitions, shares_every, start_ms)

    def counted() -> Iterator[LogRecord]:
        for record in served.passing(log) if served else log:
            yield record
            bar.advance()

    with others as rates_beside:
        folded = replay_inline(counted(), settings.fold, partitions=partitions, chunk_records=chunk, start_ms=start_ms)
        result = folded.as_json()
        if served:
            result["published"] = served.as_json()
        beside = rates_beside()
    return {**result, "beside": beside} if beside else result


def _isolated(
    log: EventLog, settings: Settings, partitions: int, pace: float | None, local: bool, display: Any, as_json: bool
) -> dict[str, Any]:
    from app.commands.kafka_call import run_on_kafka
    from app.replay.isolated import replay_isolated

    with _stack(settings, local=local) as there:
        sent, folded = Bar(display, "sent", log.n_records(), log), Bar(display, "folded", log.n_records())
        work = replay_isolated(
            log,
            there,
            partitions=partitions,
            speed=pace,
            on_sent=sent.advance,
            on_folded=folded.show,
            report=_print_line if as_json else lambda line: None,
        )
        return run_on_kafka(work, there.broker).as_json()


@contextlib.contextmanager
def _stack(settings: Settings, *, local: bool) -> Iterator[Settings]:
    if not local:
        yield settings
        return
    from app.local.stack import LocalStack

    with tempfile.TemporaryDirectory(prefix="freshet-local-") as folder, LocalStack(Path(folder)) as stack:
        here = {**settings.with_kafka_at(stack.broker), **settings.with_redis_at(stack.redis_url)}
        yield settings.model_copy(update=here)


async def _to_kafka(log: EventLog, settings: Settings, pace: float | None, bar: Bar) -> dict[str, Any]:
    from app.replay.pacing import Pacer
    from app.replay.send import log_producer, send_catalogue, send_events
    from app.replay.warn import warn_if_old
    from app.worker.preflight import prepare_topics

    names = settings.names
    await prepare_topics(settings)
    await warn_if_old(log, settings)
    async with log_producer(settings.kafka, settings.partitioner) as producer:
        n_items = await send_catalogue(producer, names.catalogue, log.catalogue())
        n_sent, log_sha256 = await send_events(producer, names.events, log, Pacer(pace), bar.advance)
    return {"sent": n_sent, "catalogue": n_items, "topic": names.events, "log_sha256": log_sha256}


def _print_line(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.buffer.flush()


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_line(result)
        return
    from app.replay.show import show_result

    show_result(result)
