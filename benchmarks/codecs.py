"""What compression saves and costs: each codec on batches of events and of checkpoints, in turns, in one run.

Run as ``python -m benchmarks.codecs [--dataset NAME] [--events 20000] [--rounds 7] [--kafka]``. Prints one JSON object:
for each kind of batch and each codec the bytes as a share of those without one, and the CPU that it costs beyond
building and reading the batch without one, in microseconds for one record and in milliseconds for one MB; medians over
the rounds. With --kafka also what a whole checkpoint costs its worker, as a transaction on a local broker.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from app.bench.workload import START_MS, Workload
from app.broker import Broker
from app.kafka import create_topics
from app.local.stack import LocalStack
from app.replay import OrderedLog, open_log
from app.worker.checkpoints import BATCH_SHARE
from tables.fold_settings import FoldSettings
from tables.names import TopicSpec
from tables.partition import PartitionState

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
EVENT_BATCHES = {"events, one a batch": 1, "events, 16 KiB batches": 16 * 1024, "events, 256 KiB batches": 256 * 1024}
TOPIC = "checkpoints"
CHECKPOINT_BYTES = int(BATCH_SHARE * 1_048_588)
EVENTS_PER_CUT = 1000
REPLAY_MS = START_MS + 400 * 86_400_000

Entry = tuple[bytes | None, bytes | None]


def events_of(path: Path | None, dataset: str | None, n: int) -> list[Entry]:
    """Keys and values of a recorded log, or of one as shops have them."""
    if path is None and dataset is None:
        return [(sent.key, sent.value) for sent in Workload(n, seed=1).records()]
    log = OrderedLog(open_log(path, dataset=dataset, columns={}, event_type=None))
    return [(record.key, record.value) for record in itertools.islice(log, n)]


def cuts_of(events: Sequence[Entry]) -> Iterator[list[Entry]]:
    """What checkpoints write while a log is folded in one partition: the items and the users of each cut."""
    state = PartitionState(0, 1, FoldSettings())
    for offset, (key, value) in enumerate(events):
        state.fold(offset, REPLAY_MS, key, value)
        if offset % EVENTS_PER_CUT == EVENTS_PER_CUT - 1:
            cut = state.cut(-1)
            for entries in (cut.items, cut.users):
                yield [*entries]


def batches_of(entries: Iterable[Entry], max_bytes: int) -> list[list[Entry]]:
    """Entries as they fill batches."""
    batches: list[list[Entry]] = [[]]
    size = 0
    for key, value in entries:
        n_bytes = len(key or b"") + len(value or b"") + 20
        if batches[-1] and size + n_bytes > max_bytes:
            batches.append([])
            size = 0
        batches[-1].append((key, value))
        size += n_bytes
    return batches


def build(batch: Sequence[Entry], codec: int) -> bytes:
    """The bytes of a batch, as a producer sends them."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, 0, 64 * 1024**2)
    for offset, (key, value) in enumerate(batch):
        builder.append(offset, START_MS, key, value, [])
    return bytes(builder.build())


def read(data: bytes) -> int:
    """The number of records in a batch, all decoded."""
    batch = MemoryRecords(data).next_batch()
    batch.validate_crc()
    return sum(1 for _ in batch)


def cpu_s(work: Callable[[], object]) -> float:
    """What some work costs, s of CPU."""
    began = time.process_time()
    work()
    return time.process_time() - began


def compare(batches: Sequence[Sequence[Entry]], n_rounds: int) -> dict[str, dict[str, float]]:
    """Each codec on the same batches, in turns, so that a busy moment of the machine hits all of them."""
    built = {name: [build(batch, code) for batch in batches] for name, code in CODECS.items()}
    plain_bytes, n_records = sum(map(len, built["none"])), sum(map(len, batches))
    writing: dict[str, list[float]] = {name: [] for name in CODECS}
    reading: dict[str, list[float]] = {name: [] for name in CODECS}
    for _ in range(n_rounds):
        for name, code in CODECS.items():
            writing[name].append(cpu_s(lambda code=code: [build(batch, code) for batch in batches]))  # type: ignore[misc]
            reading[name].append(cpu_s(lambda name=name: [read(data) for data in built[name]]))  # type: ignore[misc]
    found: dict[str, dict[str, float]] = {}
    for name in CODECS:
        result = {"bytes_share": round(sum(map(len, built[name])) / plain_bytes, 3)}
        for what, times in (("write", writing), ("read", reading)):
            beyond_s = statistics.median(ours - plain for ours, plain in zip(times[name], times["none"]))
            result[f"{what}_us_per_record"] = round(1e6 * beyond_s / n_records, 2)
            result[f"{what}_ms_per_mb"] = round(1e3 * beyond_s / (plain_bytes / 1e6), 2)
        found[name] = result
    base = {
        f"{what}_us_per_record": round(1e6 * statistics.median(times["none"]) / n_records, 2)
        for what, times in (("write", writing), ("read", reading))
    }
    found["none"] = {"bytes_per_batch": round(plain_bytes / len(batches)), "batches": len(batches), **base}
    return found


async def transactions(broker: Broker, batches: Sequence[Sequence[Entry]], codec: str) -> float:
    """What batches cost as transactions of one batch each, ms of CPU for one MB of what is in them."""
    producer = AIOKafkaProducer(
        **broker.client(),
        transactional_id=f"codecs-{codec}",
        compression_type=None if codec == "none" else codec,
        max_batch_size=CHECKPOINT_BYTES,
        max_request_size=1_048_588,
    )
    await producer.start()
    n_bytes, began = 0, time.process_time()
    for entries in batches:
        batch = producer.create_batch()
        for key, value in entries:
            batch.append(key=key, value=value, timestamp=None)
            n_bytes += len(key or b"") + len(value or b"")
        async with producer.transaction():
            await (await producer.send_batch(batch, TOPIC, partition=0))
    took_s = time.process_time() - began
    await producer.stop()
    return 1e3 * took_s / (n_bytes / 1e6)


def compare_transactions(batches: Sequence[Sequence[Entry]], n_rounds: int) -> dict[str, float]:
    """Each codec on the same checkpoints, in turns, on a broker of their own."""
    with tempfile.TemporaryDirectory() as folder, LocalStack(Path(folder), with_redis=False) as stack:
        broker = Broker(stack.broker)
        asyncio.run(create_topics(broker, [TopicSpec(TOPIC, 1)], 1))
        rounds = [{name: asyncio.run(transactions(broker, batches, name)) for name in CODECS} for _ in range(n_rounds)]
    return {f"{name}_ms_per_mb": round(statistics.median(each[name] for each in rounds), 2) for name in CODECS}


def main() -> None:
    """Print the comparison for events and for checkpoints."""
    parser = argparse.ArgumentParser(description="Bytes and CPU of each codec, on batches of events and checkpoints.")
    parser.add_argument("--log", type=Path, help="a recorded log (default: one made from a seed)")
    parser.add_argument("--dataset", help="a MovieLens set, at --log or in the data folder")
    parser.add_argument("--kafka", action="store_true", help="whole checkpoints too, on a local broker")
    parser.add_argument("--events", type=int, default=20_000, help="events of it (default 20000)")
    parser.add_argument("--rounds", type=int, default=7, help="passes of each kind (default 7)")
    options = parser.parse_args()
    events = events_of(options.log, options.dataset, options.events)
    result: dict[str, object] = {"log": str(options.dataset or options.log or "from a seed"), "events": len(events)}
    for name, max_bytes in EVENT_BATCHES.items():
        result[name] = compare(batches_of(events, max_bytes), options.rounds)
    checkpoints = [batch for part in cuts_of(events) if part for batch in batches_of(part, CHECKPOINT_BYTES)]
    result["checkpoints"] = compare(checkpoints, options.rounds)
    if options.kafka:
        result["checkpoints as transactions"] = compare_transactions(checkpoints, options.rounds)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
