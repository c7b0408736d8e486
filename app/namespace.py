"""Removing a namespace: what a replay or a benchmark of its own leaves behind."""

from aiokafka.admin import AIOKafkaAdminClient

from app.kafka import start_client
from app.settings import Settings
from app.store.remove import remove_keys
from tables.keys import Keys


async def remove_namespace(settings: Settings) -> None:
    """Delete every topic and every Redis key of a namespace.

    Raises
    ------
    ServiceError
        If Kafka or Redis cannot be reached.
    ValueError
        For the empty namespace, whose keys cannot be told from others'.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker)
    await start_client(admin, settings.broker)
    try:
        topics = [name for name in await admin.list_topics() if name.startswith(f"{settings.namespace}.")]
        await admin.delete_topics(topics)
    finally:
        await admin.close()
    await remove_keys(settings.redis_url, Keys(settings.namespace))
