"""Drops the saved state of a namespace, so that the next workers fold the log anew.

Partition by partition, behind its transactional id: the marker is replaced by one that no worker accepts, then
everything saved is removed, and only when all partitions, and the learner, are empty does each get its new marker.
However this ends in between, a worker either finds what was there before, or is told to run `freshet reset` again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, ProducerFenced

from app.dead_letters.copies import count_copies
from app.dead_letters.journal import PARTITION as JOURNAL_PARTITION
from app.dead_letters.marks import refold_headers
from app.kafka import partition_counts, read_to_end, start_client, topic_limits
from app.kafka import writer as log_writer
from app.kafka_admin import commit_offsets, describe_group, fit_topics, log_ranges
from app.reset_learner import forget_learned
from app.settings import Settings
from app.store.clients import for_threads
from app.worker.checkpoints import CheckpointWriter
from models.errors import ServiceError, StateError, Undecodable
from tables.cutting import Cut
from tables.list_json import version_of
from tables.marker import MARKER_KEY, Marker
from tables.names import Names

KEYS_PER_TRANSACTION = 5000
REDIS_TIMEOUT_S = 2.0
FIRST_EPOCH = 1

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reset would do: fold `n_records` anew.

    `n_deleted` older ones are no longer in the log; `n_copies` lie in it twice, as dead letters that were re-driven.
    """

    n_partitions: int
    n_records: int
    n_deleted: int
    n_copies: int = 0


@dataclass(frozen=True, slots=True)
class ResetResult:
    """What a reset has done."""

    epoch: int
    n_partitions: int
    n_removed: int
    n_records: int


async def plan_reset(settings: Settings, *, copies: bool = True) -> Plan:
    """Look at the log, the dead letters and the group, and change nothing.

    Parameters
    ----------
    copies
        Count what was re-driven, which reads all dead letters.

    Raises
    ------
    ServiceError
        If there is no log, or a worker runs.
    """
    names = settings.names
    counts = await partition_counts(settings.kafka, [names.events])
    if names.events not in counts:
        raise ServiceError(
            f"there is no topic {names.events} at {settings.broker}, so there is nothing to reset. Check "
            "FRESHET_BROKER and FRESHET_NAMESPACE."
        )
    await _refuse_beside_workers(settings, names)
    ranges = await log_ranges(settings.kafka, names.events, counts[names.events])
    starts = {number: start for number, (start, _) in ranges.items()}
    return Plan(
        n_partitions=counts[names.events],
        n_records=sum(end - start for start, end in ranges.values()),
        n_deleted=sum(start for start, _ in ranges.values()),
        n_copies=await count_copies(settings.kafka, names, starts) if copies else 0,
    )


async def _refuse_beside_workers(settings: Settings, names: Names) -> None:
    group = await describe_group(settings.kafka, names.group)
    if group.members:
        raise ServiceError(
            f"{len(group.members)} workers are in the group {names.group} ({', '.join(group.members)}). Stop all of "
            "them first, with Ctrl-C or SIGTERM (`freshet up --no-worker` keeps a local Kafka without one); one that "
            "crashed leaves by itself after "
            f"{settings.session_timeout_s:g} s (FRESHET_SESSION_TIMEOUT_S)."
        )


async def reset(settings: Settings, tell: Tell) -> ResetResult:
    """Remove all saved state and raise the epoch; tells what has been done as it goes.

    Lists in Redis stay: the lists of the higher epoch replace them. So does what an operator has had stepped over.

    Raises
    ------
    ServiceError
        If a worker runs or comes up meanwhile; if Redis is needed and cannot be reached.
    """
    try:
        return await _reset(settings, tell)
    except Undecodable as error:
        tell(f"{error}. The topics of saved state are made anew.")
        return await _reset(settings, tell, anew=True)


async def _reset(settings: Settings, tell: Tell, *, anew: bool = False) -> ResetResult:
    """Do so; saved state whose topics are not made anew has to be readable."""
    plan = await plan_reset(settings, copies=False)
    names = settings.names
    checkpoints = (names.user_checkpoints, names.item_checkpoints)
    learned = (names.interactions, names.factors)
    epochs = [FIRST_EPOCH]
    specs = [spec for spec in names.topics(plan.n_partitions) if spec.name in (*checkpoints, *learned)]
    if anew or any(n > plan.n_partitions for n in (await partition_counts(settings.kafka, checkpoints)).values()):
        epochs.append(published_epoch(settings, "a topic of checkpoints, which is made anew,"))
    anew_topics = (*checkpoints, *learned) if anew else ()
    for done in await fit_topics(settings.kafka, specs, settings.replication_factor, anew=anew_topics):
        tell(done)
    limits = await topic_limits(settings.kafka, checkpoints)
    n_removed = 0
    writers = [CheckpointWriter(number, names, settings.kafka, limits) for number in range(plan.n_partitions)]
    try:
        for writer in writers:
            await writer.start()
            epoch, n_keys = await _empty(writer, settings, names)
            epochs.append(epoch)
            n_removed += n_keys
            tell(f"partition {writer.partition}: {n_keys} values removed")
        if n_rows := await forget_learned(settings):
            tell(f"learner: {n_rows} rows of factors removed")
        n_removed += n_rows
        fold = settings.fold
        marker = Marker(
            max(epochs) + 1, 0, -1, 0, (), plan.n_partitions, fold.fingerprint(), fold.described(), names.events
        )
        ranges = await log_ranges(settings.kafka, names.events, plan.n_partitions)
        starts = {number: start for number, (start, _) in ranges.items()}
        await _tell_dead_letters(settings, names, starts)
        for writer in writers:
            await writer.write(Cut(marker, [(MARKER_KEY, marker.encode())], [], 0))
    except (ProducerFenced, InvalidProducerEpoch) as error:
        raise ServiceError(
            "a worker was started while the reset ran, and took a partition. Stop it and run `freshet reset` again."
        ) from error
    finally:
        for writer in writers:
            await writer.stop()
    await commit_offsets(settings.kafka, names.group, names.events, starts)
    return ResetResult(marker.epoch, plan.n_partitions, n_removed, plan.n_records)


async def _tell_dead_letters(settings: Settings, names: Names, starts: Mapping[int, int]) -> None:
    """Leave word that letters so far are done with: what they hold is folded again, or refused again.

    Before any partition has its new marker: whoever finds one finds the word as well.
    """
    if names.dead_letters not in await partition_counts(settings.kafka, [names.dead_letters]):
        return
    producer = log_writer(settings.kafka)
    await start_client(producer, settings.kafka)
    try:
        headers = refold_headers(names.events, starts)
        await producer.send_and_wait(names.dead_letters, b"", headers=headers, partition=JOURNAL_PARTITION)
    finally:
        await producer.stop()


async def _empty(writer: CheckpointWriter, settings: Settings, names: Names) -> tuple[int, int]:
    """Remove everything saved of one partition; returns the epoch it had, and how many values there were."""
    keys: dict[str, set[bytes]] = {names.user_checkpoints: set(), names.item_checkpoints: set()}
    stored: bytes | None = None

    def take(record: ConsumerRecord) -> None:
        nonlocal stored
        if record.topic == names.user_checkpoints and record.key == MARKER_KEY:
            stored = record.value
        elif record.value is None:
            keys[record.topic].discard(record.key)
        else:
            keys[record.topic].add(record.key)

    await read_to_end(settings.kafka, [TopicPartition(topic, writer.partition) for topic in keys], take)
    known = None if stored is None else epoch_of(stored)
    epoch = published_epoch(settings, f"the marker of partition {writer.partition}") if known is None else known
    unfinished = Marker(epoch, 0, -1, 0, (), 0, "unfinished reset")
    await writer.write(Cut(unfinished, [(MARKER_KEY, unfinished.encode())], [], 0))
    users, items = (sorted(keys[topic]) for topic in (names.user_checkpoints, names.item_checkpoints))
    for some_users, some_items in zip_longest(_parts(users), _parts(items), fillvalue=()):
        await writer.write(Cut(unfinished, [(key, None) for key in some_users], [(key, None) for key in some_items], 0))
    return epoch, len(users) + len(items)


def epoch_of(marker: bytes) -> int | None:
    """The epoch in a stored marker; None if it is of another version, or damaged."""
    try:
        return Marker.decode(marker).epoch
    except (StateError, ValueError, KeyError, TypeError):
        return None


def _parts(keys: list[bytes]) -> list[list[bytes]]:
    return [keys[start : start + KEYS_PER_TRANSACTION] for start in range(0, len(keys), KEYS_PER_TRANSACTION)]


def published_epoch(settings: Settings, what: str) -> int:
    """The epoch of the lists in Redis, for state that does not say itself which it is of; 1 if there are none.

    Raises
    ------
    ServiceError
        If Redis cannot be reached.
    """
    connection = for_threads(settings.redis, timeout_s=REDIS_TIMEOUT_S)
    try:
        (stored,) = connection.run([("GET", settings.keys.default_list())])
    except ServiceError as error:
        raise ServiceError(f"{what} does not say its epoch, and the lists in Redis cannot be asked. {error}") from error
    finally:
        connection.close()
    return FIRST_EPOCH if stored is None else int(version_of(stored).partition(b"-")[0])
