"""Checks of Redis."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.doctor.finding import Finding
from app.doctor.memory import check_memory
from app.doctor.redis_cluster import check_cluster
from app.doctor.redis_rights import check_rights, rule_for
from app.settings import Settings
from app.store.access import RedisAccess
from app.store.blocking_cluster import BlockingCluster
from app.store.clients import for_threads
from app.store.connect import Connection
from models.errors import FreshetError, ServiceError
from tables.keys import Keys

TIMEOUT_S = 3.0
LEAST_MAJOR = 7


def check_redis(settings: Settings) -> list[Finding]:
    """Is Redis reachable, new enough, and does it permit what workers do; of a cluster, every node."""
    try:
        access = settings.redis
        client = for_threads(access, timeout_s=TIMEOUT_S)
        try:
            if isinstance(client, BlockingCluster):
                return [*check_cluster(client), *check_servers(client.nodes(), access, settings.keys)]
            return check_servers([(client, 0)], access, settings.keys)
        finally:
            client.close()
    except FreshetError as error:
        return [Finding("Redis", "wrong", str(error))]


def check_servers(servers: Sequence[tuple[Connection, int]], access: RedisAccess, keys: Keys) -> list[Finding]:
    """Each server, with a slot that it holds, and what this user may do there."""
    findings: list[Finding] = []
    for server, slot in servers:
        try:
            info, memory = server.run([("INFO", "server"), ("INFO", "memory")])
            findings += [check_version(info, server.shown), *check_memory(memory)]
            findings += check_rights(server, slot, info["run_id"], access, keys)
        except ServiceError as error:
            advice = rule_for(access, keys, "+info") if "does not permit" in str(error) else ""
            findings.append(Finding("Redis", "wrong", str(error), advice))
    findings = [each for place, each in enumerate(findings) if each not in findings[:place]]  # a user's, at every node
    if any(finding.status == "wrong" for finding in findings):
        return findings
    return [*findings, Finding("Redis", "ok", "takes writes")]


def check_version(server: Mapping[str, Any], where: str) -> Finding:
    """New enough for server-side functions."""
    version = str(server.get("redis_version", "0"))
    valkey = server.get("valkey_version")
    found = f"{f'Valkey {valkey}' if valkey else f'Redis {version}'} at {where}"
    major = version.partition(".")[0]
    if not major.isdigit() or int(major) < LEAST_MAJOR:
        return Finding(
            "Redis", "wrong", found, "Server-side functions are needed: use Redis 7.0, Valkey 7.2, or newer."
        )
    return Finding("Redis", "ok", found)
