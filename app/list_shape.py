"""The settings that shape lists, and no state: free to change from one start to the next."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_settings import BaseSettings

from models.errors import SettingsError
from tables.list_fields import checked_names
from tables.list_settings import MAX_PER_CATEGORY, ListSettings


class ListShape(BaseSettings):
    """How lists are made, how long they are, and what stands in them."""

    list_size: int = Field(30, ge=1, le=500, description="items per list")
    blend: Literal["learned", "log_shares", "ranks", "scores"] = Field(
        "learned",
        description="how sources of a list are weighed: as learned from what users took, or by fixed weights of "
        "log shares, of ranks (as 0.4, 0.3, 0.3) or of scores (as 0.6, 0.4)",
    )
    source_weights: dict[str, float] = Field(
        {},
        examples=[{"co_occurrence": 0.8, "history": 0.4}],
        description="what co_occurrence, history, popularity and ratings count; {}: as found best",
    )
    proposals: int = Field(50, ge=1, le=1000, description="items that each source proposes for a list")
    look: int = Field(
        500,
        ge=1,
        le=1_000_000,
        description="items that factors are scored for; up to four times as many: all are",
    )
    max_per_category: int = Field(
        0,
        ge=0,
        le=MAX_PER_CATEGORY,
        examples=[3],
        description="items of one category (the first of an entry's) in a user's list, while others are left; 0: any",
    )
    list_fields: Annotated[tuple[str, ...], AfterValidator(checked_names)] = Field(
        (),
        examples=[["title", "attributes.price"]],
        description="fields of the catalogue that stand in each item of lists, 8 at most; empty: none",
    )

    @field_validator("source_weights")
    @classmethod
    def _weights(cls, weights: dict[str, float]) -> dict[str, float]:
        try:
            ListSettings(weights=weights)
        except SettingsError as error:
            raise ValueError(str(error).rstrip(".")) from None
        if weights and not any(weights.values()):
            raise ValueError("no source counts anything")
        return weights

    @property
    def lists(self) -> ListSettings:
        """How lists are made of what sources propose."""
        return ListSettings(self.blend, self.source_weights, self.proposals, self.look, self.max_per_category)
