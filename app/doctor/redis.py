"""Checks of Redis."""

from collections.abc import Mapping
from typing import Any

from app.doctor.finding import Finding
from app.doctor.memory import check_memory
from app.settings import Settings
from app.store.connect import Connection
from app.store.errors import masked
from models.errors import FreshetError

TIMEOUT_S = 3.0
PROBE_S = 10
LEAST_MAJOR = 7


def check_redis(settings: Settings) -> list[Finding]:
    """Is Redis reachable, new enough, and writable."""
    probe = settings.keys.doctor_probe()
    try:
        connection = Connection(settings.redis_url, timeout_s=TIMEOUT_S)
        try:
            server, memory = connection.run([("INFO", "server"), ("INFO", "memory")])
            findings = [check_version(server, masked(settings.redis_url)), *check_memory(memory)]
            connection.run([("SET", probe, "1", "EX", PROBE_S), ("DEL", probe)])
        finally:
            connection.close()
    except FreshetError as error:
        return [Finding("Redis", "wrong", str(error))]
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
