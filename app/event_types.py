"""The settings of single types of events: `[event_types.<name>]`, beside weight and polarity what they take back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from models.event_types import DEFAULT_TYPES, MAX_RETURN_DAYS, MAX_WEIGHT, EventType


class TypeSettings(BaseModel):
    """What is said of a type, a known one or a new one; what is not said stays, or is weight 1 and polarity 1."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    weight: float | None = Field(None, ge=0, le=MAX_WEIGHT, description="how much one event counts when it is learned")
    polarity: Literal[-1, 0, 1] | None = Field(
        None, description="1 speaks for the item, -1 against it, 0 says nothing about it"
    )
    effect: Literal["", "withdraw"] = Field(
        "", description="withdraw: takes back what the user said of the item, as unlike or refund do; empty: nothing"
    )
    allow_repeats: bool = Field(False, description="whether its items may be offered again to who has had them")
    returns_after_days: float = Field(
        0.0,
        ge=0,
        le=MAX_RETURN_DAYS,
        description="days without an event after which its items count as new to their user again; 0: never",
    )


def types_of(extra: Mapping[str, tuple[float, int]], said: Mapping[str, TypeSettings]) -> dict[str, EventType]:
    """All known types: the usual ones, the extra ones, and what is said of single ones.

    Raises
    ------
    SettingsError
        Naming the type, and what cannot be.
    """
    types = {**DEFAULT_TYPES, **{name: EventType(name, *weighed) for name, weighed in extra.items()}}
    for name, each in said.items():
        known = types.get(name)
        if known is None or each.effect:
            known = EventType(name, 0.0 if each.effect else 1.0, 0 if each.effect else 1)
        given = {field: value for field in ("weight", "polarity") if (value := getattr(each, field)) is not None}
        types[name] = replace(
            known,
            effect=each.effect,
            allow_repeats=each.allow_repeats,
            returns_after_days=each.returns_after_days,
            **given,
        )
    return types


def explain_type(place: list[str], value: object, kind: str, wrong: str) -> str:
    """What to say of a setting of a type that cannot be used: its name, its value, what is wrong, what is allowed."""
    name, *inner = place
    if not inner:
        return f"[event_types.{name}] {wrong.rstrip('.')}."
    if kind == "extra_forbidden":
        known = ", ".join(TypeSettings.model_fields)
        return f"[event_types.{name}] {'.'.join(inner)} is no setting of a type. Use one of {known}."
    expected = TypeSettings.model_fields[inner[0]].description
    return f"[event_types.{name}] {inner[0]} has value {value!r}: {wrong}. Expected: {expected}."
