"""Check of the records' own times: who stamps them, and what hangs on that."""

from collections.abc import Mapping
from typing import Final

from app.broker import Broker
from app.doctor.finding import Finding
from app.doctor.topics import alter

TIMES: Final = "message.timestamp.type"


def check_create_time(topic: str, config: Mapping[str, str], broker: Broker) -> list[Finding]:
    """A topic of events whose producers stamp the records themselves is worth a note."""
    kind = config.get(TIMES, "CreateTime")
    if kind == "LogAppendTime":
        return []
    found = f"{topic}: {TIMES} is {kind}: records carry the time that their producers give them"
    advice = (
        "An old log that is replayed may leave the topic at once, for retention.ms goes by that time; an event of the "
        "future is told by its producer's clock alone; the latency shown counts from then. With LogAppendTime the "
        f"broker's clock counts. {alter(broker, topic, TIMES, 'LogAppendTime')}"
    )
    return [Finding("event times", "note", found, advice)]
