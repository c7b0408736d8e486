"""The settings of what events mean: their types, and when a rating speaks for or against its item."""

from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings

from app.changes import Warn
from app.event_types import TypeSettings, types_of
from models.errors import SettingsError
from models.event_types import EventType
from models.events import DEFAULT_SCALE, EventRules, rating_bounds


def _unset(value: object) -> object:
    """A variable that is empty or `null` says nothing, as `environment` of a child has it."""
    return None if value in ("", "null") else value


class MeaningSettings(BaseSettings):
    """What the types of events mean, and ratings by their value."""

    extra_event_types: Annotated[dict[str, tuple[float, int]], Warn("rules.types")] = Field(
        default_factory=dict,
        examples=[{"share": [2.0, 1]}],
        description='more event types: {"share": [weight, polarity]}',
    )
    event_types: Annotated[dict[str, TypeSettings], Warn("rules.types")] = Field(
        default_factory=dict,
        examples=[{"unlike": {"effect": "withdraw"}, "purchase": {"allow_repeats": True}}],
        description="what else is to be said of types, known or new: what they take back, and whether items return",
    )
    rating_scale: Annotated[tuple[float, float], Warn("rules.rating_scale")] = Field(
        DEFAULT_SCALE, examples=[[1, 10]], description="the least and the greatest value of a rating"
    )
    positive_rating: Annotated[float | None, BeforeValidator(_unset), Warn("rules.positive_rating")] = Field(
        None,
        examples=[4.0],
        description="least value of a positive rating; unset: 4, or 3/4 up another scale",
    )
    negative_rating: Annotated[float | None, BeforeValidator(_unset), Warn("rules.negative_rating")] = Field(
        None, examples=[2.0], description="greatest value of a negative rating; unset: 2, or 1/4 up another scale"
    )
    low_rating_weight: Annotated[float, Warn("rules.low_rating_weight")] = Field(
        0.5, ge=0, le=1, description="weight of a lower rating"
    )

    @field_validator("extra_event_types")
    @classmethod
    def _types(cls, types: dict[str, tuple[float, int]]) -> dict[str, tuple[float, int]]:
        for name, (weight, polarity) in types.items():
            try:
                EventType(name, weight, polarity)
            except SettingsError as error:
                said = str(error).rstrip(".")
                raise ValueError(f"{said}; what others call otherwise is an alias, [sources.<name>] types") from None
        return types

    @property
    def rules(self) -> EventRules:
        """What a valid event is, and what it means.

        Raises
        ------
        SettingsError
            Naming the setting that cannot be.
        """
        positive, negative = rating_bounds(self.rating_scale)
        if self.positive_rating is not None and self.positive_rating <= negative:
            negative = (self.rating_scale[0] + self.positive_rating) / 2  # below it, whatever the usual bound is
        return EventRules(
            types=types_of(self.extra_event_types, self.event_types),
            positive_rating=positive if self.positive_rating is None else self.positive_rating,
            negative_rating=negative if self.negative_rating is None else self.negative_rating,
            low_rating_weight=self.low_rating_weight,
            rating_scale=self.rating_scale,
        )
