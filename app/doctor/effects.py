"""What it means that a topic is configured otherwise than Freshet makes it: some services refuse some settings."""

from tables.names import OPTIONAL


def effect_of(key: str) -> str:
    """The effect of a setting that differs, in a sentence."""
    return f"{OPTIONAL[key]} Fine if that is meant so." if key in OPTIONAL else "Fine if that is meant so."
