"""The least that each kind of client must be allowed on Kafka. Read and Write include Describe, as Kafka has it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tables.names import Names

Kind = Literal["topic", "group", "transactional-id"]

_SIZES = "; DescribeConfigs: without it the usual 1048588 bytes are taken for granted"


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


def worker_grants(names: Names, sources: Sequence[str] = ()) -> tuple[Grant, ...]:
    """What `freshet worker` and `freshet reset` need when all topics are there.

    Parameters
    ----------
    sources
        Topics that the intake reads; without any there is no intake.
    """
    return (*_folding(names), *_taking_in(names, sources)) if sources else _folding(names)


def _folding(names: Names) -> tuple[Grant, ...]:
    return (
        Grant("topic", names.events, ("Read",), "the events"),
        Grant("topic", names.catalogue, ("Read",), "the catalogue"),
        Grant("topic", names.profiles, ("Read",), "the profiles"),
        Grant("topic", names.skips, ("Read",), "what an operator has had stepped over"),
        Grant("topic", names.dead_letters, ("Write", "DescribeConfigs"), f"what could not be folded{_SIZES}"),
        Grant("topic", names.user_checkpoints, ("Read", "Write", "DescribeConfigs"), f"saved users{_SIZES}"),
        Grant("topic", names.item_checkpoints, ("Read", "Write", "DescribeConfigs"), f"saved items{_SIZES}"),
        Grant(
            "topic",
            names.interactions,
            ("Read", "Write", "DescribeConfigs"),
            f"what is handed to the learner{_SIZES}",
        ),
        Grant("topic", names.factors, ("Read", "Write", "DescribeConfigs"), f"saved factors{_SIZES}"),
        Grant("group", names.group, ("Read",), "partitions are shared out among the workers"),
        Grant("transactional-id", shared_prefix(names), ("Write",), "one writer for each partition", prefixed=True),
    )


def _taking_in(names: Names, sources: Sequence[str]) -> tuple[Grant, ...]:
    """What the intake needs beside that; the transactional ids of its inputs begin as all of a worker's."""
    written = ((names.events, "events"), (names.catalogue, "catalogue entries"), (names.profiles, "profiles"))
    return (
        *(Grant("topic", topic, ("Read",), "a topic of a source") for topic in sorted(sources)),
        *(
            Grant("topic", topic, ("Write", "DescribeConfigs"), f"{what} that the intake writes{_SIZES}")
            for topic, what in written
        ),
        Grant("topic", names.intake, ("Read", "Write"), "where the intake stands"),
        Grant("topic", names.redriven, ("Read",), "dead letters that are taken in once more"),
    )


def shared_prefix(names: Names) -> str:
    """What the transactional ids of all partitions begin with, and that of `freshet doctor`."""
    return names.transactional_id(0).removesuffix("0")


def roles(names: Names, worker: str, sources: Sequence[str] = ()) -> Iterator[Role]:
    """Every kind of client.

    Parameters
    ----------
    worker
        The user that workers log in as.
    sources
        Topics that the intake reads.
    """
    yield Role(worker, "freshet worker, freshet reset", worker_grants(names, sources))
    yield Role(
        "freshet-producer",
        "whoever sends events, the catalogue or profiles; freshet produce",
        tuple(
            Grant("topic", topic, ("Write",), what)
            for topic, what in ((names.events, "events"), (names.catalogue, "catalogue"), (names.profiles, "profiles"))
        ),
    )
    letters = Grant("topic", names.dead_letters, ("Read",), "the letters")
    again = [names.redriven] if sources else []
    taken_in = [*sorted(sources), *again]
    looked_at = [*taken_in, names.intake] if sources else []
    yield Role("freshet-dead-letters", "freshet dead-letters list, count", (letters,))
    yield Role(
        "freshet-redrive",
        "freshet dead-letters redrive",
        (
            Grant("topic", names.dead_letters, ("Read", "Write"), "the letters, and marks of what was sent"),
            Grant("topic", names.events, ("Read", "Write"), "what is sent again, and what was"),
            *(Grant("topic", topic, ("Read", "Write"), "the same for letters of sources") for topic in again),
            Grant("transactional-id", names.redrive_id, ("Write",), "one redrive at a time"),
        ),
    )
    everywhere = ("Describe", "DescribeConfigs")
    yield Role(
        "freshet-skip",
        "freshet stopped list, skip",
        (
            *(Grant("topic", topic, ("Read",), "what cannot be decoded") for topic in (names.events, *taken_in)),
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
                for topic in (
                    names.catalogue,
                    names.profiles,
                    names.user_checkpoints,
                    names.item_checkpoints,
                    names.interactions,
                    names.factors,
                )
            ),
            *(Grant("topic", topic, ("Read",), "how far the intake is, and what it stands at") for topic in looked_at),
            Grant("group", names.group, ("Describe",), "whether workers are there, and how far they are"),
            Grant("transactional-id", names.doctor_id, ("Write",), "whether there are transactions"),
        ),
    )
