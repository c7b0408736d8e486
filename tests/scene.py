"""One namespace on real Kafka and Redis: its events, its workers, and what they left behind."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import redis
from aiokafka import ConsumerRecord, TopicPartition

from app.bench.feed import feed
from app.bench.workload import Sent
from app.kafka import partition_counts, read_to_end, writer
from app.settings import Settings
from app.worker.checkpoints import load_checkpoint
from app.worker.preflight import prepare_topics
from app.worker.process import WorkerProcess, environment
from models.ids import hash64
from tables.digest import digests
from tables.keys import Keys
from tables.list_json import decode_list
from tables.marker import MARKER_KEY, Marker
from tables.names import Names
from tables.partition import PartitionState
from tests.logs import Record

LAUNCHER = Path(__file__).parent / "faults" / "launcher.py"
PATIENCE_S = 40.0
POLL_S = 0.05
