"""How good the lists were: what the worker has measured, read from its checkpoints, and one partition beside it."""

from typing import Any

from app.replay.beside import RATES
from app.replay.inline import replay_inline
from app.replay.records import EventLog
from app.settings import Settings
from app.worker.checkpoints import load_checkpoint
from models.evaluation import merged_errors, merged_json
from tables.partition import PartitionState


async def measured(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hit rates and rating errors over all partitions, as of their last checkpoints."""
    names = settings.names
    states = [PartitionState(number, settings.partitions, settings.fold) for number in range(settings.partitions)]
    for state in states:
        await load_checkpoint(state, names, settings.kafka)
    quality = merged_json([state.evaluator.prequential for state in states])
    return quality, merged_errors([state.evaluator.ratings for state in states])


def one_partition(log: EventLog, settings: Settings) -> dict[str, Any]:
    """Hit rates of the same log folded in one partition, in process."""
    (state,) = replay_inline(log, settings.fold).states
    rates = merged_json([state.evaluator.prequential])
    return {rate: rates[rate] for rate in RATES}
