"""Refuses libraries other than those whose private names the transport overrides."""

import inspect
import sys
from importlib.metadata import version

import faust.transport.consumer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.producer.sender import Sender
from faust.transport.drivers import aiokafka as driver

from models.errors import ServiceError

PINNED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}
OVERRIDDEN = {
    "_new_consumer_thread": ["self"],
    "_getmany": ["self", "active_partitions", "timeout"],
    "perform_seek": ["self"],
    "getmany": ["self", "timeout"],
    "_drain_messages": ["self", "fetcher"],
    "_new_offset": ["self", "tp"],
    "verify_event_path": ["self", "now", "tp"],
    "on_partitions_assigned": ["self", "assigned", "generation_id"],
    "on_partitions_revoked": ["self", "revoked"],
    "on_stop": ["self"],
}
USED = (
    "_wait_next_records",
    "assignment",
    "earliest_offsets",
    "highwaters",
    "highwater",
    "stop_flow",
    "topic_partitions",
)
USED_IN_THREAD = {
    "_create_worker_consumer": ["self", "transport"],
    "_fetch_records": ["self", "consumer", "active_partitions", "timeout", "max_records"],
    "_ensure_consumer": ["self"],
    "call_thread": ["self", "fun", "args", "kwargs"],
}
ATTRIBUTES = ("_committed_offset", "_acked", "_acked_index", "_thread", "callback", "consumer_stopped_errors")
CLIENT = {
    AIOKafkaConsumer: (
        "self._fetcher",
        "self._coordinator",
        "self._subscription",
        "self._client",
        "=self._isolation_level",
    ),
    AIOKafkaClient: ("def force_metadata_update(self)", "self.cluster"),
    AIOKafkaProducer: ("self.client = AIOKafkaClient(", "self._sender = Sender("),
    Sender: ("def sender_task(self)",),
    Fetcher: (
        "self._fetch_min_bytes",
        "self._fetch_max_wait_ms",
        "self._records = collections.OrderedDict()",
        "records = res_or_error.getall(max_records)",
        "self._partition_records = partition_records",
        "tp_state.timestamp = now_ms",
        "for msg in self._partition_records:",
    ),
    GroupCoordinator: ("def check_errors(self)",),
}


def check_libraries() -> None:
    """Compare versions and signatures with those that the transport was written against.

    Raises
    ------
    ServiceError
        Naming what differs.
    """
    differences = [
        f"{name} is {version(name)}, not {pinned}" for name, pinned in PINNED.items() if version(name) != pinned
    ]
    for owner, signatures in ((driver.Consumer, OVERRIDDEN), (driver.AIOKafkaConsumerThread, USED_IN_THREAD)):
        for name, expected in signatures.items():
            found = list(inspect.signature(getattr(owner, name, lambda: None)).parameters)
            if found != expected:
                differences.append(f"{owner.__name__}.{name} takes {found}, not {expected}")
    differences += [f"Consumer.{name} is gone" for name in USED if not hasattr(driver.Consumer, name)]
    source = inspect.getsource(faust.transport.consumer)
    differences += [f"Consumer.{name} is gone" for name in ATTRIBUTES if f"self.{name}" not in source]
    for owner, texts in CLIENT.items():
        source = inspect.getsource(sys.modules[owner.__module__])  # of the class: a parse of all of it
        differences += [f"{owner.__name__} does without {text}" for text in texts if text not in source]
    if differences:
        raise ServiceError(
            f"the Kafka libraries are not the ones that Freshet's transport fits: {'; '.join(differences)}. "
            "Install the pinned ones: pip install " + " ".join(f"{name}=={pin}" for name, pin in PINNED.items())
        )
