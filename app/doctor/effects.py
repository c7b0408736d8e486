"""What it means that a topic is configured otherwise than Freshet makes it: some services refuse some settings."""

from typing import Final

_EFFECTS: Final = {
    "segment.bytes": "Checkpoints are cleaned segment by segment, so larger ones make a start read more.",
    "segment.ms": "Only closed segments are cleaned: the later they close, the more a start has to read.",
    "min.cleanable.dirty.ratio": "The higher it is, the later checkpoints are cleaned, and the more a start reads.",
    "min.compaction.lag.ms": "What is younger is never cleaned, and a start reads all of it.",
    "delete.retention.ms": "If it is shorter than a load takes, something forgotten may come back by that load.",
    "max.message.bytes": "What is larger is refused.",
}


def effect_of(key: str) -> str:
    """The effect of a setting that differs, in a sentence."""
    return f"{_EFFECTS[key]} Fine if that is meant so." if key in _EFFECTS else "Fine if that is meant so."
