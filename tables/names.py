"""Names of topics, groups and transactions, and how each topic is made. Renaming one needs an ADR."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from models.errors import SettingsError

APP = "freshet"
DAY_MS = 86_400_000
LESSONS_MS = DAY_MS // 4  # a learner is seconds behind; its topic grows by 260 bytes an event
SEGMENT_BYTES = 64 * 1024**2  # the least that managed clusters take is 50 MiB

# What a topic can do without where a cluster does not let it be set, and what another value means; the rest is needed.
OPTIONAL: Final[Mapping[str, str]] = {
    "compression.type": "The broker packs batches anew in its own way, which takes its time.",
    "delete.retention.ms": "If it is shorter than a load takes, something forgotten may come back by that load.",
    "min.cleanable.dirty.ratio": "The higher it is, the later checkpoints are cleaned, and the more a start reads.",
    "min.compaction.lag.ms": "What is younger is never cleaned, and a start reads all of it.",
    "retention.ms": "Records are kept for as long as the broker says; `freshet reset` folds what is there.",
    "segment.bytes": "Checkpoints are cleaned segment by segment, so larger ones make a start read more.",
    "segment.ms": "Only closed segments are cleaned: the later they close, the more a start has to read.",
}


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic is created: partitions and configuration (Kafka's own names)."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one namespace; the empty one has no prefix.

    Parameters
    ----------
    namespace
        Prefix of everything that is named here, followed by a dot.
    events_topic, items_topic, users_topic, own_group
        Names of the inputs and of the workers' group, where they are not the usual ones; they get no prefix. Dead
        letters are named after the events.
    prefix
        Stands before the namespace, as it is: what a cluster lets this application have.

    Raises
    ------
    SettingsError
        If two topics would have one name.
    """

    namespace: str = ""
    events_topic: str = ""
    items_topic: str = ""
    users_topic: str = ""
    own_group: str = ""
    prefix: str = ""

    def __post_init__(self) -> None:
        if self.namespace == APP:
            raise SettingsError(f"namespace has value {APP!r}, as our own topics begin: use another, e.g. 'shop'.")
        topics = [spec.name for spec in (*self.topics(1), *self.intake_topics())]
        if twice := sorted({name for name in topics if topics.count(name) > 1}):
            raise SettingsError(
                f"topic {', '.join(twice)} is named for more than one purpose: events, items, users and Freshet's own "
                "topics are different ones. Change events_topic, items_topic or users_topic."
            )

    def _named(self, name: str) -> str:
        return f"{self.own_prefix}{name}"

    @property
    def own_prefix(self) -> str:
        """What every name begins with, but for those that were given."""
        return f"{self.prefix}{self.namespace}." if self.namespace else self.prefix

    @property
    def events(self) -> str:
        """Input: events, by user_id."""
        return self.events_topic or self._named("user_events")

    @property
    def dead_letters(self) -> str:
        """Output: what could not be folded, as it came."""
        return f"{self.events}.dead_letters"

    @property
    def catalogue(self) -> str:
        """Input: catalogue entries, by item_id."""
        return self.items_topic or self._named("items")

    @property
    def profiles(self) -> str:
        """Input: profiles, by user_id."""
        return self.users_topic or self._named("users")

    @property
    def user_checkpoints(self) -> str:
        """Internal: users, counters and the marker of each partition."""
        return self._named(f"{APP}.users")

    @property
    def item_checkpoints(self) -> str:
        """Internal: item shares of each partition."""
        return self._named(f"{APP}.items")

    @property
    def interactions(self) -> str:
        """Internal: what partitions hand to the one learner of the factors; one partition, whose order is its own."""
        return self._named(f"{APP}.interactions")

    @property
    def factors(self) -> str:
        """Internal: what the learner knows, and where it stands."""
        return self._named(f"{APP}.factors")

    @property
    def intake(self) -> str:
        """Internal: where the intake stands in each partition of the topics it reads."""
        return self._named(f"{APP}.intake")

    @property
    def redriven(self) -> str:
        """Internal: dead letters of the intake's topics, re-driven; the intake reads them once more."""
        return self._named(f"{APP}.redriven")

    @property
    def skips(self) -> str:
        """Internal: batches of the log that an operator has had stepped over, for good."""
        return self._named(f"{APP}.skips")

    @property
    def group(self) -> str:
        """Consumer group of the workers."""
        return self.own_group or self._named(APP)

    def transactional_id(self, partition: int) -> str:
        """Belongs to the partition, so that a new owner fences off the old one."""
        return self._named(f"{APP}-{partition}")

    @property
    def learner_id(self) -> str:
        """Transactional id of the one learner: a new owner fences off the old one."""
        return self._named(f"{APP}-learner")

    def intake_id(self, topic: str, partition: int) -> str:
        """Transactional id of the intake of one input partition: a new owner fences off the old one."""
        return self._named(f"{APP}-intake-{topic}-{partition}")

    @property
    def history_id(self) -> str:
        """Transactional id of the one worker that reads what lay in the intake's topics before it first looked."""
        return self._named(f"{APP}-intake-history")

    @property
    def redrive_id(self) -> str:
        """Transactional id of the one redrive that may run."""
        return self._named(f"{APP}.redrive")

    @property
    def doctor_id(self) -> str:
        """Transactional id by which `freshet doctor` sees whether there are transactions; nothing is written."""
        return self._named(f"{APP}-doctor")

    def topics(self, partitions: int) -> tuple[TopicSpec, ...]:
        """Every topic, with `partitions` for those that follow `user_events`."""
        checkpoints = {
            "cleanup.policy": "compact",
            "segment.bytes": str(64 * 1024**2),
            "segment.ms": "60000",
            "min.cleanable.dirty.ratio": "0.1",
            "min.compaction.lag.ms": "0",
            "delete.retention.ms": str(DAY_MS),
            "max.message.bytes": "1048588",
        }
        input_limit, dead_letter_limit = 1_048_588, 2 * 1_048_588
        return (
            TopicSpec(
                self.events,
                partitions,
                {
                    "message.timestamp.type": "LogAppendTime",
                    "retention.ms": str(30 * DAY_MS),
                    "max.message.bytes": str(input_limit),
                },
            ),
            TopicSpec(self.catalogue, 1, {"cleanup.policy": "compact", "segment.ms": "3600000"}),
            TopicSpec(self.profiles, 1, {"cleanup.policy": "compact", "segment.ms": "3600000"}),
            TopicSpec(
                self.dead_letters, 1, {"retention.ms": str(7 * DAY_MS), "max.message.bytes": str(dead_letter_limit)}
            ),
            TopicSpec(self.user_checkpoints, partitions, checkpoints),
            TopicSpec(self.item_checkpoints, partitions, checkpoints),
            TopicSpec(
                self.interactions,
                1,
                {
                    "retention.ms": str(LESSONS_MS),
                    "segment.bytes": str(SEGMENT_BYTES),
                    "max.message.bytes": str(input_limit),
                },
            ),
            TopicSpec(self.factors, 1, checkpoints),
            TopicSpec(self.skips, 1, {"cleanup.policy": "compact"}),
        )

    def intake_topics(self) -> tuple[TopicSpec, ...]:
        """The topics that the intake needs beside those of all, each with one partition for good."""
        return (
            TopicSpec(
                self.intake,
                1,
                {
                    "cleanup.policy": "compact",
                    "segment.bytes": str(SEGMENT_BYTES),
                    "segment.ms": "60000",
                    "min.cleanable.dirty.ratio": "0.1",
                },
            ),
            TopicSpec(
                self.redriven,
                1,
                {
                    "message.timestamp.type": "LogAppendTime",
                    "retention.ms": str(30 * DAY_MS),
                    "max.message.bytes": str(2 * 1_048_588),
                },
            ),
        )
