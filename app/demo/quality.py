"""What the worker's evaluation has measured, read from its checkpoints."""

from typing import Any

from app.settings import Settings
from app.worker.checkpoints import load_checkpoint
from models.evaluation import merged_errors, merged_json
from tables.names import Names
from tables.partition import PartitionState


async def measured(settings: Settings) -> tuple[dict[str, Any], dict[str, Any]]:
    """Hit rates and rating errors over all partitions, as of their last checkpoints."""
    names = Names(settings.namespace)
    states = [PartitionState(number, settings.partitions, settings.fold) for number in range(settings.partitions)]
    for state in states:
        await load_checkpoint(state, names, settings.broker)
    quality = merged_json([state.evaluator.prequential for state in states])
    return quality, merged_errors([state.evaluator.ratings for state in states])
