"""Removing a namespace: what a replay or a benchmark of its own leaves behind."""

from aiokafka.admin import AIOKafkaAdminClient

from app.kafka import start_client
from app.settings import Settings
from app.store.remove import remove_keys


async def remove_namespace(settings: Settings) -> None:
    """Delete every topic and every Redis key of a namespace.

    Raises
    ------
    ServiceError
        If Kafka or Redis cannot be reached.
    ValueError
        For the empty namespace, whose keys cannot be told from others'.
    """
    if not settings.namespace:
        raise ValueError("only a namespace can be removed as a whole")
    admin = AIOKafkaAdminClient(**settings.kafka.client())
    await start_client(admin, settings.kafka)
    try:
        topics = [name for name in await admin.list_topics() if name.startswith(settings.names.own_prefix)]
        await admin.delete_topics(topics)
    finally:
        await admin.close()
    await remove_keys(settings.redis, settings.keys)
