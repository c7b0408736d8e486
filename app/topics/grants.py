"""The least that each kind of client must be allowed on Kafka. Read and Write include Describe, as Kafka has it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tables.names import Names

Kind = Literal["topic", "group", "transactional-id"]


@dataclass(frozen=True, slots=True)
class Grant:
    """Operations on one thing, or on all whose names begin so.

    Parameters
    ----------
    why
        What it is for, and what is without it.
    """

    kind: Kind
    name: str
    operations: tuple[str, ...]
    why: str
    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """One kind of client: the user it might log in as, and what that one needs."""

    user: str
    what: str
    grants: tuple[Grant, ...]


def worker_grants(names: Names) -> tuple[Grant, ...]:
    """What `freshet worker` and `freshet reset` need when all topics are there."""
    sizes = "; DescribeConfigs: without it the usual 1048588 bytes are taken for granted"
    return (
        Grant("topic", names.events, ("Read",), "the events"),
        Grant("topic", names.catalogue, ("Read",), "the catalogue"),
        Grant("topic", names.profiles, ("Read",), "the profiles"),
        Grant("topic", names.skips, ("Read",), "what an operator has had stepped over"),
        Grant("topic", names.dead_letters, ("Write", "DescribeConfigs"), f"what could not be folded{sizes}"),
        Grant("topic", names.user_checkpoints, ("Read", "Write", "DescribeConfigs"), f"saved users{sizes}"),
        Grant("topic", names.item_checkpoints, ("Read", "Write", "DescribeConfigs"), f"saved items{sizes}"),
        Grant("group", names.group, ("Read",), "partitions are shared out among the workers"),
        Grant("transactional-id", shared_prefix(names), ("Write",), "one writer for each partition", prefixed=True),
    )


def shared_prefix(names: Names) -> str:
    """What the transactional ids of all partitions begin with, and that of `freshet doctor`."""
    return names.transactional_id(0).removesuffix("0")


def roles(names: Names, worker: str) -> Iterator[Role]:
    """Every kind of client.

    Parameters
    ----------
    worker
        The user that workers log in as.
    """
    yield Role(worker, "freshet worker, freshet reset", worker_grants(names))
    yield Role(
        "freshet-producer",
        "whoever sends events, the catalogue or profiles; freshet produce",
        tuple(
            Grant("topic", topic, ("Write",), what)
            for topic, what in ((names.events, "events"), (names.catalogue, "catalogue"), (names.profiles, "profiles"))
        ),
    )
    letters = Grant("topic", names.dead_letters, ("Read",), "the letters")
    yield Role("freshet-dead-letters", "freshet dead-letters list, count", (letters,))
    yield Role(
        "freshet-redrive",
        "freshet dead-letters redrive",
        (
            Grant("topic", names.dead_letters, ("Read", "Write"), "the letters, and marks of what was sent"),
            Grant("topic", names.events, ("Read", "Write"), "what is sent again, and what was"),
            Grant("transactional-id", names.redrive_id, ("Write",), "one redrive at a time"),
        ),
    )
    everywhere = ("Describe", "DescribeConfigs")
    yield Role(
        "freshet-skip",
        "freshet stopped list, skip",
        (
            Grant("topic", names.events, ("Read",), "what cannot be decoded"),
            Grant("topic", names.skips, ("Read", "Write"), "what is stepped over"),
            Grant("topic", names.dead_letters, ("Write", "DescribeConfigs"), "its bytes are kept there"),
            Grant("group", names.group, ("Describe",), "how far workers are"),
        ),
    )
    yield Role(
        "freshet-doctor",
        "freshet doctor, where it does not log in as a worker does",
        (
            Grant("topic", names.events, ("Read", "DescribeConfigs"), "whether all is folded"),
            Grant("topic", names.skips, ("Read", "DescribeConfigs"), "what is stepped over"),
            Grant("topic", names.dead_letters, ("Read", "DescribeConfigs"), "why events were bad"),
            *(
                Grant("topic", topic, everywhere, "whether it is as it must be")
                for topic in (names.catalogue, names.profiles, names.user_checkpoints, names.item_checkpoints)
            ),
            Grant("group", names.group, ("Describe",), "whether workers are there, and how far they are"),
            Grant("transactional-id", names.doctor_id, ("Write",), "whether there are transactions"),
        ),
    )
