"""What is checked and made before a worker joins the group."""

from collections.abc import Mapping

from app.kafka import create_topics, partition_counts, topic_limits
from app.settings import Settings
from app.worker.checkpoints import BATCH_SHARE, ENTRY_OVERHEAD_BYTES
from app.worker.dead_letters import LEAST_LIMIT_BYTES
from models.errors import ResetRequired, ValueTooLarge
from models.evaluation import DEPTH
from models.events import MAX_ID_BYTES
from models.history_factors import HistoryFactors
from models.window_kernels import TRIM_EVERY
from models.windows import WINDOWS
from tables.fold_lists import SOURCES
from tables.names import TopicSpec

BYTES_PER_BUCKET = 12
BYTES_PER_TYPE = 10


async def prepare_topics(settings: Settings) -> dict[str, int]:
    """Create what is missing and check what is there; returns the partitions of every topic.

    Raises
    ------
    ResetRequired
        If the checkpoints have another number of partitions than the events.
    ValueTooLarge
        If the topic of dead letters takes none but the shortest.
    ServiceError
        If Kafka cannot be reached or refuses.
    """
    names = settings.names
    existing = await partition_counts(settings.kafka, [names.events])
    specs = topics_of(settings, existing.get(names.events, settings.partitions))
    await create_topics(settings.kafka, specs, settings.replication_factor)
    counts = await partition_counts(settings.kafka, [spec.name for spec in specs])
    for topic in (names.user_checkpoints, names.item_checkpoints):
        if counts[topic] != counts[names.events]:
            raise ResetRequired(
                f"{names.events} has {counts[names.events]} partitions, {topic} has {counts[topic]}: users have moved. "
                "Run `freshet reset` to fold the log anew."
            )
    check_dead_letters(await topic_limits(settings.kafka, [names.dead_letters]))
    return counts


def topics_of(settings: Settings, partitions: int) -> tuple[TopicSpec, ...]:
    """Every topic that these settings need, but for those of their own producers."""
    return (*settings.names.topics(partitions), *(settings.names.intake_topics() if settings.has_intake else ()))


def check_dead_letters(limits: Mapping[str, int]) -> None:
    """Refuse a topic that does not take even a letter that is cut.

    Raises
    ------
    ValueTooLarge
        Naming the topic, its limit, and what to do.
    """
    for topic, limit in limits.items():
        if limit < LEAST_LIMIT_BYTES:
            raise ValueTooLarge(
                f"topic {topic} takes messages of {limit} bytes: a bad event may not fit there even cut, and would "
                f"stop its partition. Raise its max.message.bytes to {LEAST_LIMIT_BYTES} or more; more than that of "
                "the events keeps them whole."
            )


async def checkpoint_limits(settings: Settings) -> dict[str, int]:
    """`max.message.bytes` of the topics of saved state and of lessons, enough for the largest value there can be.

    Raises
    ------
    ValueTooLarge
        Naming the topic, its limit, and what to do.
    """
    names = settings.names
    topics = [names.user_checkpoints, names.item_checkpoints, names.interactions, names.factors]
    limits = await topic_limits(settings.kafka, topics)
    largest = largest_value(settings)
    for topic, limit in limits.items():
        if largest > BATCH_SHARE * limit:
            raise ValueTooLarge(
                f"topic {topic} takes messages of {limit} bytes; with these settings one value may need {largest}. "
                f"Raise its max.message.bytes to {int(largest / BATCH_SHARE) + 1} or more, or lower FRESHET_MAX_SEEN, "
                "FRESHET_NEIGHBOURS or FRESHET_HISTORY_SIZE."
            )
    return limits


async def intake_limits(settings: Settings) -> dict[str, int]:
    """`max.message.bytes` of the topics that the intake writes to; none without an intake."""
    names = settings.names
    if not settings.has_intake:
        return {}
    return await topic_limits(settings.kafka, [names.events, names.catalogue, names.profiles, names.dead_letters])


def largest_value(settings: Settings) -> int:
    """Upper bound of one stored value, bytes: every type in every bucket, everything full."""
    fold = settings.fold
    n_types = len(fold.rules.types)
    n_buckets = n_types * sum(window.n_buckets for window in WINDOWS) + TRIM_EVERY
    counts = n_buckets * BYTES_PER_BUCKET + n_types * BYTES_PER_TYPE
    rating_row = 8 * (1 + fold.ratings.n_factors)
    waiting = len(SOURCES) * (8 * DEPTH + 20) + 20
    user = settings.max_seen * 16 + settings.history_size * (MAX_ID_BYTES + 18) + 32 * 8 + rating_row + waiting
    item = 2 * settings.neighbours * 12 + rating_row + HistoryFactors(fold.history).row_bytes
    item += 2 * fold.following.n_keep * 8
    return counts + max(user, item) + MAX_ID_BYTES + ENTRY_OVERHEAD_BYTES + 200
