"""What a worker exports."""

import asyncio

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from app.metrics.described import METRICS, exported_names
from app.worker.stop import Stop
from models.events import REASONS
from tables.catalogue import parse_entry
from tables.evaluator import MAX_WAITING
from tables.list_json import ListItem
from tests.unit.app.metrics.stage import Measured

INTAKE = {"in": 12, "out": 9, "dead": 2, "lag": 1, "skew_ms": {"a": -1500}, "stopped": [{"input": "a/0"}]}


def test_every_metric_that_is_described_is_exported() -> None:
    """With an intake, the learner and a test of a published list nothing is missing, and nothing else is there."""
    worker = Measured()
    worker.reads_topics(INTAKE)
    worker.learns(7, 3)
    worker.ownership.load_s = 0.5
    worker.gauge.published("u1", [])
    worker.gauge.test("u1", "i1")

    found = worker.scrape()

    assert {name for name in found if name.startswith("freshet_")} == exported_names()
    assert found["freshet_intake_records_total"] == {(): 12} and found["freshet_intake_stopped"] == {(): 1}
    assert found["freshet_intake_skew_seconds"] == {("a",): -1.5}
    assert found["freshet_learner_lessons"] == {(): 7} and found["freshet_learner_lag_records"] == {(): 3}
    assert found["freshet_live_tests_total"] == {(): 1} and found["freshet_live_hit_rate"] == {(): 0}


def test_without_an_intake_nothing_is_said_of_it() -> None:
    """Nor of a learner elsewhere, nor of a hit rate before there was a test."""
    found = Measured().scrape()
    absent = {name for name in METRICS if name.startswith(("freshet_intake_", "freshet_learner_"))}
    assert not any(name.startswith(tuple(absent)) for name in found)
    assert "freshet_live_hit_rate" not in found


def test_events_are_counted_from_the_start() -> None:
    """Those folded here alone, by partition; users and items as they are, with their bounds."""
    worker = Measured()
    assert worker.scrape()["freshet_events_total"] == {("0",): 0}
    worker.stage.fold(5, 6)
    found = worker.scrape()
    assert found["freshet_events_total"] == {("0",): 5}
    assert found["freshet_next_offset"] == {("0",): 65}
    assert found["freshet_users"] == {("0",): 7} and found["freshet_items"] == {("0",): 6}
    assert found["freshet_users_max"] == {(): worker.settings.max_users}


def test_events_are_counted_by_type() -> None:
    """Every type that the settings know is there from the start, at 0; a duplicate and a dead letter are of none."""
    worker = Measured()
    types = {(name,): 0.0 for name in worker.settings.rules.types}
    assert worker.scrape()["freshet_events_by_type_total"] == types
    for offset, kind in enumerate(("view", "click", "view", "nothing"), 60):
        value = b'{"user_id": "u1", "item_id": "i1", "event_type": "%s", "timestamp": 1700000000000}' % kind.encode()
        worker.stage.state.fold(offset, 1_700_000_000_000, b"u1", value)
    assert worker.scrape()["freshet_events_by_type_total"] == types | {("view",): 2, ("click",): 1}


def test_hits_are_counted_by_source() -> None:
    """Of published lists by who had proposed the item; of the fold's own by each source's list alone."""
    worker = Measured()
    worker.gauge.published("u1", [ListItem("i1", 1.0, "history", ()), ListItem("i2", 0.5, "trending", ())])
    for item_id in ("i2", "i2", "i1", "i3"):
        worker.gauge.test("u1", item_id)
    found = worker.scrape()
    hits = {source: n for (source,), n in found["freshet_live_source_hits_total"].items() if n}
    assert hits == {"trending": 2, "history": 1}
    assert ("co_occurrence",) in found["freshet_live_source_hits_total"]
    assert found["freshet_fold_tests_total"] == {(): 0} and not any(found["freshet_fold_hits_total"].values())

    prequential = worker.stage.state.evaluator.prequential
    prequential.add({"list": 3, "history": 11, "popularity": 1}, 60)
    found = worker.scrape()
    assert found["freshet_fold_tests_total"] == {(): 1}
    fold_hits = {labels for labels, n in found["freshet_fold_hits_total"].items() if n == 1}
    assert fold_hits == {(depth, name) for depth in ("10", "20") for name in ("list", "popularity")} | {
        ("20", "history")
    }


def test_chunks_by_their_size() -> None:
    """As a histogram whose sum is the records."""
    worker = Measured()
    for n in (1, 1, 200):
        worker.chunk_sizes.add(n)
    found = worker.scrape()
    assert [found["freshet_chunk_records_bucket"][(bound,)] for bound in ("1", "128", "256", "+Inf")] == [2, 2, 3, 3]
    assert found["freshet_chunk_records_sum"] == {(): 202} and found["freshet_chunk_records_count"] == {(): 3}


def test_what_is_held_beside_its_bound() -> None:
    """Users whose lists wait, entries of the catalogue, and what was left out of it."""
    worker = Measured()
    worker.stage.catalogue.take("i1", parse_entry(b'{"title": "I"}'))
    found = worker.scrape()
    waiting, settings = worker.stage.state.evaluator.n_waiting, worker.settings
    assert found["freshet_waiting_lists"] == {("0",): waiting} and found["freshet_waiting_lists_max"] == {
        (): MAX_WAITING
    }
    assert found["freshet_catalogue_items"] == {(): 1}
    assert found["freshet_catalogue_items_max"] == {(): settings.max_catalogue}
    assert found["freshet_lists_unpublished_max"] == {(): settings.max_unpublished}
    assert found["freshet_catalogue_left_out_total"] == {(): 0}


def test_partitions_that_are_loaded() -> None:
    """Those of the assignment, until their state is read."""
    worker = Measured()
    assert worker.scrape()["freshet_partitions_loading"] == {(): 0}
    worker.ownership.ready, worker.ownership.owned, worker.ownership.assigned = False, {}, {2, 1}
    assert worker.scrape()["freshet_partitions_loading"] == {(): 2}


def test_every_reason_of_dead_letters_is_there_from_the_start() -> None:
    """At 0: the growth of a series that begins with the first dead letter would not be seen."""
    worker = Measured()
    assert worker.scrape()["freshet_dead_letters_total"] == {(reason,): 0 for reason in REASONS}
    worker.stage.state.fold(60, 0, None, b"no JSON")
    assert worker.scrape()["freshet_dead_letters_total"][("not_json",)] == 1


def test_lists_published_and_errors_of_redis() -> None:
    """A list that Redis did not take is an error and still to go out; then it is published."""
    worker = Measured()
    store, partition = worker.stage.store, worker.stage.partition
    store.down = True
    users = [(partition, user_id) for user_id in partition.due]
    assert not asyncio.run(worker.stage.publish(users))
    found = worker.scrape()
    assert found["freshet_redis_errors_total"] == {("lists",): 1, ("features",): 0, ("probe",): 0}
    assert found["freshet_lists_published_total"] == {(): 0} and found["freshet_lists_unpublished"] == {(): 7}

    store.down = False
    assert asyncio.run(worker.stage.publish(users))
    found = worker.scrape()
    assert found["freshet_lists_published_total"] == {(): 7} and found["freshet_lists_unpublished"] == {(): 0}


def test_a_list_that_answers_events_of_two_slices_saves_one() -> None:
    """A user touched again whose list is still to go out."""
    worker = Measured()
    partition = worker.stage.partition
    asyncio.run(worker.stage.publish([(partition, user_id) for user_id in partition.due]))
    for _ in range(3):
        worker.outputs.touched(partition, {"u1": 0, "u2": 0}, [])
    assert worker.scrape()["freshet_lists_avoided_total"] == {(): 4}


def test_lag_of_a_partition_that_stands() -> None:
    """Everything behind the batch it stands at waits, although nothing of it can be read."""
    worker = Measured()
    partition = worker.stage.partition
    partition.end_offset = 100
    worker.ownership.handed_out = {0: 100}
    assert worker.scrape()["freshet_lag_records"] == {("0",): 0}  # marks of transactions
    partition.stop = Stop("events", 0, 60, "no codec", 60, 1)
    found = worker.scrape()
    assert found["freshet_lag_records"] == {("0",): 40} and found["freshet_partition_stopped"] == {("0",): 1}


def test_openmetrics_for_whom_asks_for_it() -> None:
    """The same in the other format, which its own parser reads."""
    worker = Measured()
    answer = worker.answers.metrics("application/openmetrics-text; version=1.0.0")
    assert answer.content_type.startswith("application/openmetrics-text")
    parsed = text_string_to_metric_families(answer.body.decode())  # type: ignore[no-untyped-call]
    families = {family.name for family in parsed}
    assert "freshet_events" in families and "freshet_stage_seconds" in families
