"""The shapes of requests and answers, as the OpenAPI document shows them; nothing is parsed with them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Token = Field(pattern=r"^\d+:\d+$", description="partition:offset, the token of `after`", examples=["3:1207"])


class ProblemDetails(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:freshet:problem:bad_value"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["path user_id: user_id has value '': 0 bytes. Send 1 to 256 bytes of UTF-8."])
    code: str = Field(examples=["bad_value"], description="names the problem, for programs")
    request_id: str = Field(examples=["7f3a0d6c1c5b4b0f9d0e2f4a6b8c0d1e"])


class EventAnswer(BaseModel):
    """What became of one event."""

    status: Literal["accepted", "rejected", "unacknowledged"]
    position: str = Field("", pattern=r"^\d+:\d+$", description="where it lies, partition:offset", examples=["3:1207"])
    event_id: str = Field("", description="its own, or made of Idempotency-Key")
    reason: str = Field("", description="as of a dead letter", examples=["missing_field"])
    message: str = Field("", description="what is wrong, the value, what is allowed")


class EventsAnswer(BaseModel):
    """What became of the events of a request, in their order."""

    accepted: int
    rejected: int
    events: list[EventAnswer]


class Item(BaseModel):
    """One recommended item."""

    model_config = ConfigDict(extra="allow")

    id: str
    score: float
    source: str = Field(description="who proposed it")
    because: list[str] = Field(description="the user's own items that led to it")
    title: str = Field("", description="with `titles=true`, where the catalogue has one")
    categories: list[str] = Field([], description="with `categories=true`, where the catalogue has them")


class After(BaseModel):
    """Whether the list is made from the event that `after` names, or a later one."""

    token: str = Token
    reached: bool
    waited_ms: int


class Recommendations(BaseModel):
    """A list, and where it comes from."""

    user_id: str
    rung: Literal["user", "segment", "default"] = Field(description="whose list it is: the first that there was")
    version: str
    list_id: str
    generated_at_ms: int
    age_ms: int = Field(description="how old the list is")
    model: str
    variant: str
    items: list[Item]
    after: After | None = Field(None, description="with `after`")


class ManyRecommendations(BaseModel):
    """Lists in the order of `user_ids`; one without a list has `rung` null, and says why in `missing`."""

    lists: list[dict[str, Any]]


class Scored(BaseModel):
    """An item and its score."""

    id: str
    score: float
    title: str = Field("", description="with `titles=true`, where the catalogue has one")


class ScoredItems(BaseModel):
    """Items, the best first."""

    items: list[Scored]


class Features(BaseModel):
    """A user's features: counts by type and window, times, the newest items."""

    user_id: str
    features: dict[str, Any]


class EntryAnswer(BaseModel):
    """Where an entry lies."""

    id: str
    position: str = Token


class Health(BaseModel):
    """Whether the gateway can serve."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "unavailable"]
