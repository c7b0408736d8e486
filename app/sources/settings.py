"""Settings of a source: what its records are, and where in them an event's fields stand (`[sources.<name>]`)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.sources.paths import compile_path
from app.sources.times import UNITS, time_reader
from tables.catalogue import ENTRY_FIELDS
from tables.entry_fields import OBJECT
from tables.profiles import PROFILE_FIELDS

WRAPPERS: Final = ("confluent", "connect", "cloudevents", "debezium")
"""Formats around a record's own fields, in the order in which they are taken off."""

EVENT_FORMATS: Final = ("freshet", "segment", "rudderstack", "ga4")
"""Formats of events themselves: each is a mapping that is known beforehand."""

PATH_FIELDS: Final = ("user_id", "item_id", "event_type", "timestamp", "event_id", "value")
_TYPE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_NAME: Final = 'a JMESPath expression, e.g. "properties.product_id" or "userId || anonymousId"'
_FORMATS: Final = f"{', '.join((*WRAPPERS, *EVENT_FORMATS))}, or several joined by +, the outermost first"


class SourceSettings(BaseModel):
    """One source of events, items or users. Every path is JMESPath over one record.

    A path asks the record's own fields; beside them stand `each` (the element at hand, where `each` is set), `_key`
    (the record's key), `_headers`, `_topic` and `_timestamp` (the record's own time, Unix ms).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    topics: tuple[str, ...] = Field((), description="topics that the intake reads; none for files")
    kind: Literal["events", "items", "users"] = Field(
        "events", description="what the records are: events, items or users"
    )
    format: str = Field("freshet", description=_FORMATS)
    key: Literal["text", "json", "confluent"] = Field(
        "text", description="how `_key` is written: text, json or confluent"
    )

    user_id: str | None = Field(None, description="path of the user")
    item_id: str | None = Field(None, description="path of the item")
    event_type: str | None = Field(None, description="path of the type")
    timestamp: str | None = Field(None, description="path of the time")
    event_id: str | None = Field(None, description="path of what makes the event unique")
    value: str | None = Field(None, description="path of the number: a rating, a dwell time")
    context: str | dict[str, str] | None = Field(None, description="path of a flat object, or name -> path")
    fields: dict[str, str] = Field(default_factory=dict, description="items, users: field -> path; empty: as they are")
    keep: bool = Field(False, description="items, users: fields that `fields` does not name stay, by their own names")
    list_separator: str | None = Field(
        None, min_length=1, description="items, users: stands between the texts of a list that is one text, e.g. |"
    )
    deleted: str | None = Field(None, description="items, users: JMESPath: records for which it is true delete")
    each: str | None = Field(None, description="path of an array that holds an event in each element")
    where: str | None = Field(None, description="JMESPath: records (elements) for which it is not true are left out")

    time: str | None = Field(None, description=f"unit or form of the time: {', '.join(UNITS)}, or a strptime form")
    types: dict[str, str] = Field(default_factory=dict, description='their type = our type; "" leaves it out')
    ignore: tuple[str, ...] | None = Field(None, description='types that are left out; "*": all that `types` lacks')
    constants: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="field, or context.NAME = a value that is the same for all"
    )
    ops: tuple[Literal["c", "u", "d", "r"], ...] | None = Field(
        None, description="debezium: changes that count, of c, u, d, r; by default events: c, items and users: all"
    )

    registry: str | None = Field(None, pattern=r"^https?://", description="confluent: URL of the schema registry")
    registry_ca_file: str | None = Field(None, description="confluent: CA certificates of the registry, PEM")
    registry_login_file: str | None = Field(None, description="confluent: a file with user:password of the registry")
    schema_file: str | None = Field(None, description="confluent: an Avro schema, instead of a registry")

    @property
    def wrappers(self) -> tuple[str, ...]:
        """What is taken off, the outermost first."""
        return tuple(name for name in self.format.split("+") if name in WRAPPERS)

    @property
    def event_format(self) -> str:
        """The format of the events themselves."""
        return next((name for name in self.format.split("+") if name in EVENT_FORMATS), "freshet")

    @field_validator("format")
    @classmethod
    def _known(cls, text: str) -> str:
        names = text.split("+")
        places = [(*WRAPPERS, *EVENT_FORMATS).index(name) for name in names if name in (*WRAPPERS, *EVENT_FORMATS)]
        n_own = sum(name in EVENT_FORMATS for name in names)
        if len(places) < len(names) or places != sorted(set(places)) or n_own > 1:
            raise ValueError(f"not a format. Use one of {_FORMATS}, e.g. confluent+segment")
        return text

    @field_validator(*PATH_FIELDS, "each", "where", "deleted")
    @classmethod
    def _path(cls, expression: str | None) -> str | None:
        if expression is not None:
            _compiled(expression)
        return expression

    @field_validator("context", "fields")
    @classmethod
    def _paths(cls, given: Any) -> Any:
        for expression in given.values() if isinstance(given, Mapping) else () if given is None else (given,):
            _compiled(expression)
        return given

    @field_validator("time")
    @classmethod
    def _form(cls, form: str | None) -> str | None:
        if form is not None:
            try:
                time_reader(form)
            except ValueError as error:
                raise ValueError(str(error)) from None
        return form

    @field_validator("types")
    @classmethod
    def _types(cls, types: dict[str, str]) -> dict[str, str]:
        for theirs, ours in types.items():
            if ours and not _TYPE.fullmatch(ours):
                raise ValueError(
                    f'{theirs!r} = {ours!r} names no type. Use one of ours, e.g. "view", or "" to leave out'
                )
        return types

    @model_validator(mode="after")
    def _goes_together(self) -> "SourceSettings":
        for name in PATH_FIELDS:
            if getattr(self, name) is not None and name in self.constants:
                raise ValueError(f"{name} is a path and a constant. Keep one of them")
        if self.kind == "events":
            for name in self.constants:
                if name not in PATH_FIELDS and not re.fullmatch(r"context\..+", name):
                    raise ValueError(f"constants: {name!r} is no field. Use {', '.join(PATH_FIELDS)}, context.NAME")
        if self.kind == "events" and self.fields:
            raise ValueError('fields is for kind = "items" and "users". An event has user_id, item_id and so on')
        if self.kind == "events" and (self.deleted is not None or self.list_separator is not None or self.keep):
            raise ValueError('deleted, list_separator, keep are for kind = "items" and "users". Use `where` for events')
        if self.kind != "events":
            _known_fields(self.kind, (*self.fields, *self.constants))
        if self.kind != "events" and self.event_format != "freshet":
            raise ValueError(f"format {self.event_format} is one of events. Leave it out, and map with fields")
        if "confluent" not in self.wrappers and self.key != "confluent":
            for name in ("registry", "registry_ca_file", "registry_login_file", "schema_file"):
                if getattr(self, name) is not None:
                    raise ValueError(f'{name} goes with format confluent. Use e.g. format = "confluent"')
        if self.registry and self.schema_file:
            raise ValueError("registry and schema_file are two ways to a schema. Keep one of them")
        if self.ops is not None and "debezium" not in self.wrappers:
            raise ValueError("ops goes with format debezium. Use `where` to leave records out")
        return self


def _known_fields(kind: str, names: Iterable[str]) -> None:
    kinds = ENTRY_FIELDS if kind == "items" else PROFILE_FIELDS
    objects = [name for name, each in kinds.items() if each == OBJECT]
    for name in names:
        outer, dot, inner = name.partition(".")
        if name not in kinds and not (outer in objects and dot and inner):
            known = ", ".join((*kinds, *(f"{each}.NAME" for each in objects)))
            raise ValueError(f"{name!r} is no field of {kind}. Use {known}")


def _compiled(expression: str) -> None:
    try:
        compile_path(expression)
    except ValueError as error:
        raise ValueError(f"{error}. Use {_NAME}") from None


def explain_source(place: list[str], value: object, kind: str, wrong: str) -> str:
    """What to say of a source that cannot be used: the setting, its value, what is wrong, and what is allowed.

    Parameters
    ----------
    place
        The source's name, and the way to the setting in it.
    kind, wrong
        What pydantic calls it, and says of it.
    """
    from app.store.errors import masked

    source, *inner = place
    seen = masked(value) if isinstance(value, str) else value
    wrong = wrong.removeprefix("Value error, ").rstrip(".")
    if not inner:
        return f"[sources.{source}] {wrong}."
    if kind == "extra_forbidden":
        known = ", ".join(SourceSettings.model_fields)
        return f"[sources.{source}] {'.'.join(inner)} is no setting of a source. Use one of {known}."
    advice = "" if "Use " in wrong else f". Expected: {SourceSettings.model_fields[inner[0]].description}"
    return f"[sources.{source}] {'.'.join(inner)} has value {seen!r}: {wrong}{advice}."
