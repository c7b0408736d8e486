"""Check of Redis's memory: do lists stay until they expire."""

from collections.abc import Mapping
from typing import Any, Final

from app.doctor.finding import Finding

NEAR: Final = 0.8
KEEP: Final = "noeviction"


def check_memory(memory: Mapping[str, Any]) -> list[Finding]:
    """A server that drops lists when memory is short, or is about to refuse new ones.

    Parameters
    ----------
    memory
        What `INFO memory` says.
    """
    limit, used = int(memory.get("maxmemory", 0)), int(memory.get("used_memory", 0))
    policy = str(memory.get("maxmemory_policy", KEEP))
    if not limit:
        return []
    share = used / limit
    details = {"maxmemory": limit, "used_memory": used, "maxmemory_policy": policy}
    findings: list[Finding] = []
    if policy != KEEP:
        found = f"maxmemory {limit} with {policy}: lists vanish when memory is short, and nobody is told"
        advice = (
            f"Run: redis-cli CONFIG SET maxmemory-policy {KEEP}, and give it room enough. A list that has gone comes "
            "back at its user's next event."
        )
        findings.append(Finding("Redis", "wrong", found, advice, details))
    if share >= NEAR:
        found = f"{used} of maxmemory {limit} bytes are used, {100 * share:.0f} %"
        then = "lists are refused, and written later" if policy == KEEP else "lists vanish"
        advice = f"When it is full {then}. Raise maxmemory, or lower FRESHET_LIST_TTL_DAYS or FRESHET_LIST_SIZE."
        findings.append(Finding("Redis", "wrong" if share >= 1 else "note", found, advice, details))
    return findings
