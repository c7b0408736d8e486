"""State as an earlier commit saved it (`record_state.py` wrote the file)."""

import gzip
import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.saved import Topics

RECORDED: dict[str, Any] = json.loads(gzip.decompress(Path(__file__).with_name("state-31c1283.json.gz").read_bytes()))
N_PARTITIONS = len(RECORDED["partitions"])


def loaded(
    settings: FoldSettings | None = None, *, read_as: tuple[int, ...] = tuple(range(N_PARTITIONS))
) -> list[PartitionState]:
    """Its partitions, read by today's code.

    Parameters
    ----------
    read_as
        The numbers that the partitions are given.
    """
    states = [PartitionState(number, N_PARTITIONS, settings or FoldSettings()) for number in read_as]
    return [
        Topics.load(
            state,
            [(topic, b64decode(key), None if value is None else b64decode(value)) for topic, key, value in entries],
        )
        for state, entries in zip(states, RECORDED["partitions"], strict=True)
    ]
