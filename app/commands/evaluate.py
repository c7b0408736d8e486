"""`freshet evaluate`."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands.flags import json_flag, shares_every_flag
from app.commands.log_flags import log_flags, opened_log, sorted_log, told_order
from app.commands.output import fail, note, print_json
from app.evaluate.delays import Delay, parse_delays
from app.replay import SourceLog
from app.replay.progress import Bar, shown
from app.settings import load_settings
from models.errors import SettingsError

if TYPE_CHECKING:
    from app.evaluate.catalogue import Categories
    from app.evaluate.run import Evaluation
    from app.replay import EventLog
    from app.settings import Settings


@click.command()
@log_flags
@click.option(
    "--partitions", type=click.IntRange(1, 1000), default=1, show_default=True, help="Of the topic, all interleaved."
)
@shares_every_flag
@click.option(
    "--sample",
    type=click.FloatRange(0, 1, min_open=True),
    default=1.0,
    show_default=True,
    metavar="FRACTION",
    help="Of the users, by a hash of the id: score their events alone. All are learned from.",
)
@click.option(
    "--delay",
    "delays",
    metavar="DELAY,...",
    callback=lambda context, option, value: _delays(value),
    help="Score lists served so late as well, by event time or by records: what being slower would cost, e.g. "
    "0,1s,10s,1m,1h,1d or 1000,10000.",
)
@click.option(
    "--catalogue",
    "catalogue_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The items with their categories, as `freshet items` reads them: how varied lists are goes by these.",
)
@click.option("--lists", "lists_file", type=click.Path(path_type=Path), metavar="FILE", help="Write every user's list.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw it: curves along the log, bars of the lists, the value of freshness; FILE ends with .html or .png.",
)
@json_flag
def evaluate(
    partitions: int,
    shares_every: int,
    sample: float,
    delays: tuple[Delay, ...],
    catalogue_file: Path | None,
    lists_file: Path | None,
    picture: Path | None,
    as_json: bool,
    **which: Any,
) -> None:
    """Say how good the lists are that people would really get: a recorded LOG, without Kafka or Redis.

    Every record is scored, then learned. A test is a positive event on an item that is new to its user; it is scored
    on the very list that would be in Redis before it, made of the user's partition as it is and of the others as they
    were when they last told. Events of one user with the same timestamp are all scored on the list of before them. An
    item that no event has named yet is a miss. What sources count is learned on the way, from all users tested and for
    all partitions at once, as in one worker with FRESHET_EVALUATE_FRACTION=1.

    Beside the list: each of its sources alone, the list without each, and three baselines: popularity (the most
    events), recency (touched last), last item (what followed the user's last item most often). A source that the list
    is not worse without earns nothing on this log. A difference whose interval holds 0 may be chance.

    --delay draws the value of freshness: what users would have found on the list that they had so long before, by the
    times of their own events (units ms, s, m, h, d) or so many records before. A list is made after each of its user's
    events; who had none by then is served what a user without history was. 0 is the list itself, made at the very
    event; lists older than the longest delay are forgotten.

    HR: tests whose item stood in the first places. NDCG, MRR: the same, better places count more. P, R, F1, MAP: of a
    list, with all that it was tested with. Coverage: items ever shown. Novelty: how rare, in bits. Gini: how unequally
    places are spread over items, 0 to 1. Diversity: how far apart the items of the first 10 places are, two by two, 0
    to 1: by their categories (Jaccard) where the data set or --catalogue FILE has them, else by the users who had
    taken to them by then (cosine, estimated by 128 hashes). Pairs without either are left out, and counted.

    Events go in the order of time, equal times in that of the file; records without a time stay behind the one before
    them. --order file takes them as they stand: of a log that is grouped by user, every list would be made of what
    came later, and look better than it is.

    \b
    Examples:
      freshet evaluate --dataset ml-100k
      freshet evaluate --dataset ml-100k --partitions 4 --delay 0,1s,10s,1m,1h,1d,1000
      freshet evaluate --dataset ml-100k --delay 0,1s,10s,1m,1h,1d --picture evaluation.html
      freshet evaluate clicks.csv.gz --column user_id=visitor --event-type click --sample 0.1
      freshet evaluate made.inter --event-type rating --timestamp-unit s
      freshet evaluate shop.csv --types transaction=purchase --where "country == 'AT'"
      freshet evaluate orders.jsonl --each lines --column item_id=each.sku --column user_id=customer.id
      freshet evaluate ga4.jsonl --source web --json
      freshet evaluate events.jsonl --lists lists.jsonl
    """
    settings = load_settings()
    log = opened_log(settings, **which)
    if lists_file is not None:
        from app.evaluate.files import refuse_unwritable

        refuse_unwritable("--lists", lists_file)
    if picture is not None:
        from app.evaluate.picture import refuse_picture

        refuse_picture(picture)
    from app.evaluate.catalogue import categories_of_file, categories_of_log
    from app.evaluate.result import result_of

    categories = categories_of_log(log) if catalogue_file is None else categories_of_file(catalogue_file, settings)
    sorted_log(log)
    began = time.perf_counter()
    evaluation = _evaluated(log, settings, (partitions, shares_every, sample, delays, categories))
    result: dict[str, Any] = {"log": log.name, **result_of(evaluation)}
    result["seconds"] = round(time.perf_counter() - began, 3)
    result |= told_order(log)
    reader = log.reader
    if isinstance(reader, SourceLog):
        result |= {"rows": reader.n_rows, "rows_refused": reader.n_refused}
    if log.n_skipped:
        result["rows_skipped"] = log.n_skipped
    if lists_file is not None:
        from app.evaluate.final import write_lists

        n = write_lists(evaluation, lists_file)
        note(f"{n:,} lists written to {lists_file}")
    if picture is not None:
        from app.evaluate.picture import write_picture

        written = write_picture(result, picture)
        note(f"picture written to {picture}" if written else f"{picture} not written: without a test nothing is drawn")
    if as_json:
        print_json(result)
    else:
        from app.evaluate.show import show_evaluation

        show_evaluation(result)
    if isinstance(reader, SourceLog) and reader.refused:
        fail(reader.refused)


def _delays(text: str | None) -> tuple[Delay, ...]:
    try:
        return parse_delays(text or "0")
    except SettingsError as error:
        raise click.BadParameter(str(error)) from None


def _evaluated(
    log: "EventLog", settings: "Settings", how: "tuple[int, int, float, tuple[Delay, ...], Categories]"
) -> "Evaluation":
    from app.evaluate.lists import PublishedLists
    from app.evaluate.run import Evaluation, EvaluationSettings

    lists = PublishedLists(settings.lists, settings.list_size)
    evaluation = Evaluation(settings.fold, EvaluationSettings(*how), lists, int(time.time() * 1000))
    with shown() as display:
        bar = Bar(display, "evaluated", log.n_records(), log)
        for record in log:
            evaluation.take(record)
            bar.advance()
    return evaluation
