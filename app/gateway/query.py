"""The parameters of queries: each said once, for the OpenAPI document and for reading.

FastAPI's own take longer than all else that a read does, and take `yes`, `1_0` and misspelt names.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.gateway.problems import bad_value

_INTEGER: Final = re.compile(r"\d{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Parameters
    ----------
    schema
        As the document has it.
    read
        From its text to its value; None where the text is none.
    wanted
        What to send, for messages.
    is_many
        Whether it may stand there several times.
    """

    name: str
    about: str
    schema: dict[str, Any]
    read: Callable[[str], Any]
    wanted: str
    default: Any = None
    is_many: bool = False
    place: str = "query"

    @property
    def documented(self) -> dict[str, Any]:
        """As the OpenAPI document has it."""
        said = {"name": self.name, "in": self.place, "required": False, "description": self.about}
        return {**said, "schema": self.schema}


def integer(name: str, least: int, most: int, default: int | None, about: str) -> Parameter:
    """A whole number in digits."""

    def read(text: str) -> int | None:
        return int(text) if _INTEGER.fullmatch(text) and least <= int(text) <= most else None

    schema: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    if default is not None:
        schema["default"] = default
    return Parameter(name, about, schema, read, f"an integer, {least} to {most}", default)


def truth(name: str, about: str) -> Parameter:
    """`true` or `false`."""
    schema = {"type": "boolean", "default": False}
    return Parameter(name, about, schema, {"true": True, "false": False}.get, "true or false", False)


def text(name: str, max_chars: int, about: str, pattern: str | None = None) -> Parameter:
    """Some text."""
    schema: dict[str, Any] = {"type": "string", "maxLength": max_chars}
    if pattern is not None:
        schema["pattern"] = pattern
    form = re.compile(pattern or "", re.ASCII)

    def read(given: str) -> str | None:
        return given if len(given) <= max_chars and form.search(given) else None

    wanted = f"text of at most {max_chars} characters" + (f" that matches {pattern}" if pattern else "")
    return Parameter(name, about, schema, read, wanted)


def texts(name: str, most: int, about: str) -> Parameter:
    """Some texts, one each time that the parameter stands there."""
    schema = {"type": "array", "items": {"type": "string"}, "maxItems": most}
    return Parameter(name, about, schema, lambda given: given, f"at most {most} of them", most, is_many=True)


def choice(name: str, choices: Sequence[str], about: str) -> Parameter:
    """One of several words; the first unless said."""
    schema = {"type": "string", "enum": list(choices), "default": choices[0]}
    words = {each: each for each in choices}
    return Parameter(name, about, schema, words.get, f"one of {', '.join(choices)}", choices[0])


def header(name: str, about: str, **form: Any) -> Parameter:
    """A header, for the document alone."""
    return Parameter(name, about, {"type": "string", **form}, str, "text", place="header")


def asked(request: Request, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The value of each parameter.

    Raises
    ------
    Problem
        If one is none that it may be, stands there twice, or is unknown.
    """
    query: bytes = request.scope.get("query_string", b"")
    given: dict[str, list[str]] = {}
    if query:
        for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
            given.setdefault(name, []).append(value)
    found: dict[str, Any] = {}
    for each in parameters:
        if each.place == "query":
            found[each.name] = _value(each, given.pop(each.name, []))
    if given:
        known = ", ".join(found) or "none"
        raise bad_value(f"query {next(iter(given))[:80]}", f"there is no such parameter. Known are: {known}.")
    return found


def _value(parameter: Parameter, given: list[str]) -> Any:
    where = f"query {parameter.name}"
    if parameter.is_many:
        if len(given) > parameter.default:
            raise bad_value(where, f"it stands there {len(given)} times. Send {parameter.wanted}.")
        return given
    if not given:
        return parameter.default
    if len(given) > 1:
        raise bad_value(where, "it stands there more than once. Send one.")
    value = parameter.read(given[0])
    if value is None:
        raise bad_value(where, f"it has value {given[0][:80]!r}. Send {parameter.wanted}.")
    return value
