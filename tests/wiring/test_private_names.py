"""Every private name of Faust and aiokafka that the transport relies on: there, and meaning what we take it to mean."""

import asyncio
import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import faust
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import Fetcher as KafkaFetcher
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import Fetcher
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from app.worker import selfcheck
from app.worker.selfcheck import ATTRIBUTES, OVERRIDDEN, PINNED, USED, check_libraries
from app.worker.transport import BatchConsumer, BatchTransport
from models.errors import ServiceError

TP0 = TP("user_events", 0)


def with_consumer(act: Callable[[Any], Any]) -> Any:
    """What `act` returns for a consumer of ours that has not been started."""

    async def run() -> Any:
        app = faust.App("wiring", broker="kafka://127.0.0.1:1", store="memory://", autodiscover=False)
        app.transport = BatchTransport(app.conf.broker, app)
        consumer: Any = app.consumer
        found = act(consumer)
        result = await found if inspect.isawaitable(found) else found
        consumer._thread.thread_loop.close()
        return result

    return asyncio.run(run())


@pytest.mark.parametrize(("name", "parameters"), OVERRIDDEN.items())
def test_overridden_method_is_the_one_we_know(name: str, parameters: list[str]) -> None:
    """Faust calls the method, with these parameters, and ours takes the same."""
    assert list(inspect.signature(getattr(driver.Consumer, name)).parameters) == parameters
    assert list(inspect.signature(getattr(BatchConsumer, name)).parameters) == parameters
    assert getattr(BatchConsumer, name) is not getattr(driver.Consumer, name)


def test_every_override_is_checked_at_start() -> None:
    """The list that is checked at start names all that we override, and nothing else.

    But for the constructor, which hands on whatever it is given.
    """
    ours = {name for name, member in vars(BatchConsumer).items() if inspect.isfunction(member)}
    constructor = inspect.signature(BatchConsumer.__init__).parameters.values()

    assert {name for name in ours - {"__init__"} if hasattr(driver.Consumer, name)} == set(OVERRIDDEN)
    assert [str(parameter).split(":")[0] for parameter in constructor] == ["self", "*args", "**kwargs"]


@pytest.mark.parametrize("name", USED)
def test_used_method_is_there(name: str) -> None:
    """What the transport calls exists."""
    assert callable(getattr(driver.Consumer, name))


def test_attributes_are_maps_by_partition() -> None:
    """The books that our methods write to are kept by partition; an unknown one can be asked for."""

    def look(consumer: Any) -> None:
        assert consumer._committed_offset[TP0] is None
        assert consumer._acked[TP0] == []
        assert consumer._acked_index[TP0] == set()

    with_consumer(look)
    assert {"_committed_offset", "_acked", "_acked_index"} < set(ATTRIBUTES)


def test_new_offset_is_what_is_committed() -> None:
    """Faust asks `_new_offset` for each partition with acks and commits the answer if it is above the last one."""

    def committable(consumer: Any) -> dict[TP, int]:
        consumer._new_offset = lambda tp: 7
        consumer._acked[TP0].append(3)
        found: dict[TP, int] = consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks())
        consumer._committed_offset[TP0] = 7
        assert consumer._filter_committable_offsets([TP0]) == {}
        return found

    assert with_consumer(committable) == {TP0: 7}


def test_stock_revocation_forgets_the_books() -> None:
    """After Faust's own revocation acks and positions of the partition are gone: ours has to save before."""
    source = inspect.getsource(BaseConsumer.on_partitions_revoked)

    for name in ("_acked", "_acked_index", "_read_offset", "_committed_offset"):
        assert f"self.{name}.pop(tp" in source


def test_fetch_goes_through_getmany() -> None:
    """The fetcher runs `_drain_messages`, ours; and `_wait_next_records` asks `_getmany`."""
    assert "consumer._drain_messages(self)" in inspect.getsource(Fetcher)
    assert "self._getmany(" in inspect.getsource(BaseConsumer._wait_next_records)


def test_what_was_fetched_is_handed_over_at_once() -> None:
    """Nothing is awaited between taking records and returning them: a seek cannot come in between."""
    assert "return await fetcher.fetched_records(" in inspect.getsource(driver.AIOKafkaConsumerThread._fetch_records)
    taking = inspect.getsource(KafkaFetcher.fetched_records).partition("drained = {}")[2]
    taken, returned, _ = taking.partition("return drained\n\n            waiter")
    assert returned and "await" not in taken


def test_each_request_asks_the_fetcher_how_long_the_broker_may_collect() -> None:
    """Both attributes are read anew for every request, and after taking nothing is awaited before they are set."""
    asking = inspect.getsource(KafkaFetcher._get_actions_per_node)
    assert "self._fetch_max_wait_ms,\n                self._fetch_min_bytes," in asking
    setting = inspect.getsource(BatchConsumer._fetch).partition("fetched = await thread._fetch_records(")[2]
    assert "ask_for(consumer, COLLECTED if " in setting and "await" not in setting


def test_records_are_taken_as_we_take_them() -> None:
    """What ours does in place of `getall`: the checks before, the position after, and the end of what was fetched."""
    assert list(inspect.signature(FetchResult.getall).parameters) == ["self", "max_records"]
    taking = inspect.getsource(FetchResult.getall)
    assert "if not self.check_assignment(tp) or not self.has_more():\n            return []" in taking
    assert "self._update_position()\n                break" in taking
    assert "else:\n            self._update_position()\n            self._partition_records = None" in taking
    assert "consumed_to(self._partition_records.next_fetch_offset)" in inspect.getsource(FetchResult._update_position)
    assert "records = res_or_error.getall(max_records)" in inspect.getsource(KafkaFetcher.fetched_records)
    assert "self._records[tp] = FetchResult(" in inspect.getsource(KafkaFetcher._proc_fetch_request)


def test_wait_next_records_gives_records_and_active_partitions() -> None:
    """`_wait_next_records` answers (records by partition, active partitions)."""

    async def wait(consumer: Any) -> Any:
        async def fetched(active_partitions: Any, timeout: float) -> Any:  # noqa: ASYNC109 Faust's signature
            return {TP0: ["record"]}

        consumer._getmany = fetched
        consumer.resume_flow()
        consumer._active_partitions = {TP0}
        return await consumer._wait_next_records(1.0)

    assert with_consumer(wait) == ({TP0: ["record"]}, {TP0})


def test_an_error_of_the_group_is_told_to_whoever_asks() -> None:
    """The client keeps it, and does nothing more, until `check_errors` raises it; Faust never asks."""
    source = inspect.getsource(GroupCoordinator.check_errors)
    assert list(inspect.signature(GroupCoordinator.check_errors).parameters) == ["self"]
    assert "self._pending_exception = None\n            raise exc" in source
    assert "await self._coordination_task" not in source
    assert "self._coordinator.check_errors()" in inspect.getsource(AIOKafkaConsumer.getmany)


def test_streams_skip_other_generations() -> None:
    """A message carries the generation it was fetched in, and streams skip those of another one."""
    assert "generation_id != self.app.consumer_generation_id" in inspect.getsource(faust.streams)


def test_crash_is_there() -> None:
    """A service can be told to crash with an error."""
    assert list(inspect.signature(Service.crash).parameters) == ["self", "reason"]


def test_libraries_of_this_environment_fit() -> None:
    """The pinned libraries pass their own check."""
    check_libraries()


@pytest.mark.parametrize("name", PINNED)
def test_other_version_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version is named, with the one to install."""
    monkeypatch.setattr(selfcheck, "version", lambda asked: "9.9.9" if asked == name else version(asked))

    with pytest.raises(ServiceError) as caught:
        check_libraries()

    assert f"{name} is 9.9.9, not {PINNED[name]}" in str(caught.value)
    assert f"pip install {' '.join(f'{one}=={pin}' for one, pin in PINNED.items())}" in str(caught.value)


def test_changed_signature_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that takes something else is named, with what it takes."""
    monkeypatch.setattr(driver.Consumer, "_new_offset", lambda self, tp, leader_epoch: None)

    with pytest.raises(ServiceError, match=r"Consumer\._new_offset takes \['self', 'tp', 'leader_epoch'\]"):
        check_libraries()


def test_changed_signature_in_the_thread_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As well as one of the consumer."""
    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_ensure_consumer", lambda self, timeout: None)

    with pytest.raises(ServiceError, match=r"AIOKafkaConsumerThread\._ensure_consumer takes \['self', 'timeout'\]"):
        check_libraries()


def test_missing_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that is gone is named."""
    monkeypatch.setattr(selfcheck, "USED", (*USED, "no_such_method"))
    monkeypatch.setattr(selfcheck, "ATTRIBUTES", (*ATTRIBUTES, "_no_such_book"))

    with pytest.raises(ServiceError, match=r"Consumer\.no_such_method is gone; Consumer\._no_such_book is gone"):
        check_libraries()
