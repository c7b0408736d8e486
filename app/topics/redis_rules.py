"""The least that workers and readers must be allowed on Redis, as ACL SETUSER lines."""

from collections.abc import Iterator

from app.settings import Settings
from app.store.acl import reader_acl, worker_acl


def redis_lines(settings: Settings) -> Iterator[str]:
    """One line for each kind of client; functions run with the rights of whoever calls them."""
    access = settings.redis
    cluster = access.mode == "cluster"
    yield "# Redis: put a password in place of PASSWORD."
    yield worker_acl(settings.keys, cluster=cluster, database=access.db)
    yield reader_acl(settings.keys, cluster=cluster, database=access.db)
