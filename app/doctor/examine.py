"""All checks, in the order in which a person would ask."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from aiokafka.errors import KafkaError

from app.doctor.bad_events import check_bad_events
from app.doctor.broker import check_broker, check_transactions
from app.doctor.finding import Finding
from app.doctor.group import check_group
from app.doctor.held import check_held
from app.doctor.intake import check_intake
from app.doctor.keeping import check_keeping
from app.doctor.letters import check_dead_letters
from app.doctor.made_with import check_made_with
from app.doctor.permissions import check_permissions
from app.doctor.redis import check_redis
from app.doctor.stopped import check_stopped
from app.doctor.times import check_times
from app.doctor.topics import check_topics
from app.refusal import not_allowed
from app.settings import Settings
from models.errors import FreshetError

PATIENCE_S = 15.0
LONG_S = 120.0
NOT_OF_A_WORKER = ("dead letters", "bad events")

Check = Callable[[Settings], Coroutine[Any, Any, list[Finding]]]


async def examine(settings: Settings) -> list[Finding]:
    """Check Kafka, and what is in it if it answers; then Redis."""
    findings = await _within(PATIENCE_S, "Kafka", check_broker, settings)
    if all(finding.status != "wrong" for finding in findings):
        findings += await _within(PATIENCE_S, "permissions", check_permissions, settings)
        findings += await _within(PATIENCE_S, "topics", check_topics, settings)
        findings += await _within(PATIENCE_S, "topics", check_keeping, settings)
        findings += await _within(PATIENCE_S, "settings", check_made_with, settings)
        findings += await _within(PATIENCE_S, "transactions", check_transactions, settings)
        findings += await _within(PATIENCE_S, "transactions", check_held, settings)
        findings += await _within(LONG_S, "stopped partitions", check_stopped, settings)
        findings += await _within(LONG_S, "intake", check_intake, settings)
        findings += await _within(LONG_S, "dead letters", check_dead_letters, settings)
        findings += await _within(LONG_S, "bad events", check_bad_events, settings)
        findings += await _within(LONG_S, "event times", check_times, settings)
        findings += await _within(PATIENCE_S, "workers", check_group, settings)
    return findings + await asyncio.to_thread(check_redis, settings)


async def _within(seconds: float, name: str, check: Check, settings: Settings) -> list[Finding]:
    """What a check finds; that it could not be made is a finding, too."""
    try:
        async with asyncio.timeout(seconds):
            return await check(settings)
    except TimeoutError:
        advice = f"Look at the load and the log of the broker ({settings.broker}), and at the network between."
        return [Finding(name, "wrong", f"no answer within {seconds:g} s", advice)]
    except FreshetError as error:
        return [Finding(name, "wrong", str(error))]
    except KafkaError as error:
        said = not_allowed(error)
        if said is not None and name in NOT_OF_A_WORKER:
            return [Finding(name, "note", said, "A worker does not need it.")]
        advice = "Look into the broker's log, and at what this client may do there."
        return [Finding(name, "wrong", said or repr(error), advice)]
