"""Reading a partition back: its state, and what has to be done again because of when it was saved."""

from collections.abc import Callable
from time import monotonic

from app.settings import Settings
from app.worker.checkpoints import CheckpointWriter, load_checkpoint
from app.worker.compatible import check_marker
from app.worker.owned import OwnedPartition
from tables.partition import PartitionState

MAX_CLOCK_SKEW_MS = 60_000  # between this machine and the one that wrote a marker


async def read_partition(
    number: int,
    n_partitions: int,
    writer: CheckpointWriter,
    settings: Settings,
    bounds: tuple[int, int],
    report: Callable[..., None],
) -> OwnedPartition:
    """A partition as its last checkpoint left it.

    Parameters
    ----------
    bounds
        The first and the end offset of its log.
    report
        Told of progress.

    Raises
    ------
    StateError
        If what is stored cannot be read, or belongs to another log (`ResetRequired`).
    """
    names = settings.names
    state = PartitionState(number, n_partitions, settings.fold, topic=names.events)
    shown = monotonic()

    async def progress(done: int, total: int) -> None:
        nonlocal shown
        if monotonic() - shown > 1:
            shown = monotonic()
            report("loading", partition=number, done=done, total=total)

    n_records, marked_ms = await load_checkpoint(state, names, settings.kafka, progress)
    start, end = bounds
    check_marker(state, end, n_partitions)
    saved = state.next_offset
    state.next_offset = max(saved, start)
    partition = OwnedPartition(state, writer)
    if 0 < saved < start:
        partition.tell_deleted(saved, start)
    partition.end_offset = end
    if marked_ms:
        partition.clock_moved_at(marked_ms)
        partition.listed_ms = marked_ms - MAX_CLOCK_SKEW_MS
    if state.loaded is not None:
        above = state.users_above(state.loaded.published_offset)
        partition.touched([user_id for user_id, _ in above], settings.max_unpublished)
    report(
        "loaded",
        partition=number,
        records=n_records,
        users=len(state.users),
        items=len(state.items),
        next_offset=state.next_offset,
        end_offset=end,
        to_publish=len(partition.unpublished),
    )
    return partition
