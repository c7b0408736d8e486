"""Asks Kafka what this client may do: to tell what is missing before something fails for it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion, TransactionalIdAuthorizationFailed
from aiokafka.protocol.admin import DescribeGroupsRequest_v3, DescribeGroupsResponse_v3
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.types import Array, Boolean, Int16, Int32, Schema, String

from app.topics.grants import Grant

# Kafka's numbers of operations: an answer has a bit for each one that is allowed
OPERATIONS: Final = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
UNTOLD: Final = -(2**31)
TRANSACTION: Final = 1

Allowed = Mapping[tuple[str, str], frozenset[str] | None]
"""(kind, name) -> operations, as far as they are known; None: this broker does not tell."""


class MetadataResponse8(Response):  # type: ignore[misc]
    """Topics with the operations that are allowed on each."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(("node_id", Int32), ("host", String("utf-8")), ("port", Int32), ("rack", String("utf-8"))),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataRequest8(RequestStruct):  # type: ignore[misc]
    """Version 8, the first that tells them (Kafka 2.3)."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponse8
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class TopicOperations(Request[MetadataRequest8]):  # type: ignore[misc]
    """Ask for topics with what is allowed on each."""

    API_KEY = 3

    def __init__(self, topics: Sequence[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataRequest8]) -> MetadataRequest8:
        """The request in its one version."""
        return request_struct_class(self._topics, False, False, True)


class DescribeGroupsRequest3(RequestStruct):  # type: ignore[misc]
    """aiokafka's own version 3 reads its answer as if it were of version 2."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = DescribeGroupsRequest_v3.SCHEMA


class GroupOperations(Request[DescribeGroupsRequest3]):  # type: ignore[misc]
    """Ask for a group with what is allowed on it."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequest3]) -> DescribeGroupsRequest3:
        """The request in its one version."""
        return request_struct_class([self._group], True)


def operations(bits: int) -> frozenset[str] | None:
    """The operations in a field of bits.

    Examples
    --------
    >>> sorted(operations((1 << 3) + (1 << 8))), operations(-(2**31))
    (['Describe', 'Read'], None)
    """
    return None if bits == UNTOLD else frozenset(name for name, bit in OPERATIONS.items() if bits >> bit & 1)


async def ask(admin: AIOKafkaAdminClient, topics: Sequence[str], group: str, transactional_id: str) -> Allowed:
    """What this client may do with topics, a group and a transactional id; of the last only whether it is seen."""
    found: dict[tuple[str, str], frozenset[str] | None] = {}
    nothing: frozenset[str] = frozenset()
    try:
        answer = await _send(admin, TopicOperations(topics))
        for topic in answer.to_object()["topics"]:
            allowed = nothing if topic["error_code"] else operations(topic["authorized_operations"])
            found["topic", topic["topic"]] = allowed
        coordinator = await _send(admin, FindCoordinatorRequest(group, 0))
        if coordinator.error_code:
            found["group", group] = nothing
        else:
            (seen,) = (await _send(admin, GroupOperations(group), coordinator.coordinator_id)).groups
            found["group", group] = nothing if seen[0] else operations(seen[6])
    except (IncompatibleBrokerVersion, NotImplementedError):
        return {}
    writer = await _send(admin, FindCoordinatorRequest(transactional_id, TRANSACTION))
    hidden = writer.error_code == TransactionalIdAuthorizationFailed.errno
    found["transactional-id", transactional_id] = nothing if hidden else frozenset({"Describe", "Write"})
    return found


async def _send(admin: AIOKafkaAdminClient, request: Any, node: int | None = None) -> Any:
    return await admin._send_request(request, node)


def missing(grants: Iterable[Grant], allowed: Allowed, transactional_id: str) -> list[tuple[Grant, tuple[str, ...]]]:
    """Grants of which something is not allowed, with those operations; what the broker does not tell is left out."""
    found = []
    for grant in grants:
        name = transactional_id if grant.kind == "transactional-id" else grant.name
        given = allowed.get((grant.kind, name))
        if given is not None and (lacking := tuple(each for each in grant.operations if each not in given)):
            found.append((grant, lacking))
    return found
