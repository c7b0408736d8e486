"""Checks of the broker itself."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from app.broker import Broker
from app.doctor.finding import Finding
from app.kafka import start_client
from app.kafka_admin import admin_client
from app.refusal import refusal
from app.settings import Settings

TRANSACTION_S = 10.0
FETCH, ADD_RAFT_VOTER, DESCRIBE_TRANSACTIONS, DESCRIBE_CLUSTER = 1, 80, 65, 60


async def check_broker(settings: Settings) -> list[Finding]:
    """Is Kafka reachable, and which release is it."""
    async with admin_client(settings.kafka) as client:  # raises with advice if nobody answers
        cluster = await client.describe_cluster()
    release = release_of(await _api_versions(settings.kafka))
    n_brokers = len(cluster["brokers"])
    found = f"Kafka {release} at {settings.broker}, {n_brokers} broker{'s' if n_brokers > 1 else ''}"
    return [Finding("Kafka", "ok", found), *await check_advertised(settings.kafka, cluster["brokers"])]


async def check_advertised(broker: Broker, brokers: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Is every broker reachable where the first one says it is: clients go there next."""
    findings = []
    for each in brokers:
        said = await refusal(broker, each["host"], each["port"])
        if said is not None:
            found = f"broker {each['node_id']} says that it is at {each['host']}:{each['port']}: {said[1]}"
            advice = "Its advertised.listeners must hold what this machine can reach, and its certificate that name."
            findings.append(Finding("Kafka", "wrong", found, advice))
    return findings


async def _api_versions(broker: Broker) -> dict[int, tuple[int, int]]:
    client = AIOKafkaClient(**broker.client())
    try:
        await client.bootstrap()
        response = await client.send(client.get_random_node(), ApiVersionRequest())
    except KafkaConnectionError:
        return {}
    finally:
        await client.close()
    return {key: (low, high) for key, low, high in response.api_versions}


def release_of(versions: dict[int, tuple[int, int]]) -> str:
    """The oldest release that speaks so: brokers do not name theirs.

    Examples
    --------
    >>> release_of({1: (4, 17)}), release_of({1: (0, 11), 60: (0, 0)})
    ('4.0 or newer', '2.8 or newer')
    """
    if versions.get(FETCH, (0, 0))[0] >= 4:
        return "4.0 or newer"
    for key, release in ((ADD_RAFT_VOTER, "3.9"), (DESCRIBE_TRANSACTIONS, "3.0"), (DESCRIBE_CLUSTER, "2.8")):
        if key in versions:
            return f"{release} or newer"
    return "older than 2.8"


async def check_transactions(settings: Settings) -> list[Finding]:
    """Can a checkpoint be written: does the broker give out a transactional id."""
    started = time.monotonic()
    producer = AIOKafkaProducer(
        **settings.kafka.client(),
        transactional_id=settings.names.doctor_id,
        request_timeout_ms=int(TRANSACTION_S * 1000),
    )
    await start_client(producer, settings.kafka)
    await producer.stop()
    return [Finding("transactions", "ok", f"a transactional producer was ready in {time.monotonic() - started:.2f} s")]
