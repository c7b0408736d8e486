"""The intake under kills and pauses: every record of every topic once, what is old first."""

import signal
import time

import pytest
from aiokafka import ConsumerRecord

from app.bench.oracle import Oracle
from app.bench.verdict import Verdict
from app.worker.process import WorkerProcess
from tests import foreign
from tests.exits import wait_exit
from tests.scene import PATIENCE_S, Scene

N_INPUTS = sum(foreign.PARTITIONS.values()) + 1  # that of what is re-driven


def await_out(worker: WorkerProcess, n: int) -> None:
    """Return when a worker has written so many events since its start."""
    worker.wait_for(lambda one: one.progress.get("intake", {}).get("out", 0) >= n, PATIENCE_S, f"{n} events written")


def await_all(scene: Scene, records: list[foreign.Foreign]) -> None:
    """Return when the log holds what the records come to, each event once; fails when the time is over."""
    expected = foreign.plain(records)

    def different() -> dict[str, object]:
        found = foreign.found(scene)
        lost, double = expected - found, found - expected
        return {"lost": lost.total(), "double or unknown": double.total()} if lost or double else {}

    scene.await_none(different, PATIENCE_S, "counts of events")
    scene.n_sent = expected.total()


def assert_counted(scene: Scene, n_partitions: int) -> None:
    """The saved state is what an independent fold of the log counts."""
    scene.assert_exact()
    oracles = [Oracle() for _ in range(n_partitions)]
    for record in scene.read(scene.names.events):
        oracles[record.partition].add(record.timestamp, record.key, record.value)
    verdict = Verdict()
    for oracle, state in zip(oracles, scene.stored(n_partitions), strict=True):
        verdict.judge(oracle, state)
    assert verdict.exact and verdict.expected == verdict.counted == scene.n_sent, verdict.differences


@pytest.mark.timeout(600)  # the first start of all downloads Kafka
def test_two_keyless_topics_two_kills(scene: Scene) -> None:
    """History of 30 days in two topics, killed in it and after it: all counted once, all of it before what came new."""
    now_ms = int(time.time() * 1000)
    old = foreign.made(1, 6000, "old", now_ms - 2 * foreign.DAYS_30_MS, now_ms - foreign.DAYS_30_MS)
    new = [foreign.made(seed, 400, f"new{seed}-", now_ms, now_ms + 1000) for seed in range(4)]
    scene.create(4)
    foreign.create(scene)
    foreign.send(scene, old)
    scene.configure(sources=foreign.sources(scene), neighbours=2000)

    worker = scene.worker()
    foreign.send(scene, new[0])
    await_out(worker, 3000)
    worker.kill()
    foreign.send(scene, new[1])
    worker = scene.worker()
    foreign.send(scene, new[2])
    worker.wait_for(lambda one: len(one.of_kind("intake_live")) == N_INPUTS, PATIENCE_S, "the end of history")
    await_out(worker, 100)
    worker.kill()
    worker = scene.worker()
    foreign.send(scene, new[3])

    everything = old + [record for part in new for record in part]
    await_all(scene, everything)
    assert_counted(scene, 4)
    assert len(scene.read(scene.names.dead_letters)) == sum(record.events is None for record in everything)
    records = scene.read(scene.names.events)
    ages = [(record.timestamp, foreign.as_plain(record.value)[4].startswith("new")) for record in records]
    assert max(at for at, is_new in ages if not is_new) <= min(at for at, is_new in ages if is_new)
    assert _most_behind_ms([record for record in records if b'"old' in record.value]) == 0  # merged by time


def _most_behind_ms(records: list[ConsumerRecord]) -> int:
    """By how much an event is older than one before it in its partition, at most."""
    most = 0
    newest: dict[int, int] = {}
    for record in records:
        time_ms = foreign.as_plain(record.value)[3]
        newest[record.partition] = max(time_ms, newest.get(record.partition, 0))
        most = max(most, newest[record.partition] - time_ms)
    return most


def test_a_paused_worker_and_its_successor(scene: Scene) -> None:
    """Two share the inputs; one is paused while it writes, and comes back when the other has taken over: all once."""
    scene.create(4)
    foreign.create(scene)
    scene.configure(sources=foreign.sources(scene))
    paused, other = scene.worker(), scene.worker()
    other.wait_for(lambda one: one.progress.get("intake", {}).get("inputs", 0) > 0, PATIENCE_S, "its share")
    now_ms = int(time.time() * 1000)
    records = foreign.made(5, 3000, "e", now_ms, now_ms + 1000)
    before = paused.progress["intake"]["out"]

    foreign.send(scene, records[:2000])
    await_out(paused, before + 200)
    paused.signal(signal.SIGSTOP)
    foreign.send(scene, records[2000:])
    other.wait_for(lambda one: one.progress["intake"]["inputs"] == N_INPUTS, PATIENCE_S, "all inputs")
    await_all(scene, records)
    time.sleep(scene.settings.session_timeout_s)
    paused.signal(signal.SIGCONT)

    assert wait_exit(paused, PATIENCE_S) == 1
    await_all(scene, records)
    scene.assert_exact()
    assert other.exit_code is None
