"""Values of catalogue entries and profiles as tables and databases have them, brought into the contract's own form."""

from collections.abc import Callable
from typing import Any, Final

import orjson

from app.sources.times import Instant, ToMs, iso_ms
from models.errors import InvalidEvent
from models.events import shown
from tables.entry_fields import AGE, OBJECT, TEXT, TEXTS, TIME, TRUTH

_TRUTHS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Shape = Callable[[str, Any], Any]


def shape_of(kind: str, separator: str | None, to_ms: ToMs | None) -> Shape:
    """What brings a field's value into the form of its kind; what does not fit stays, for the parser to refuse.

    Parameters
    ----------
    kind
        One of `tables.entry_fields.WANTED`.
    separator
        Stands between the texts of a list that is one text.
    to_ms
        Reads a time of the declared unit or form; None: integers are Unix ms, texts ISO 8601.
    """
    if kind == TEXTS:
        return lambda name, found: _texts(found, separator)
    if kind == TIME:
        return lambda name, found: _ms(name, found, to_ms)
    return _PLAIN[kind]


def truth(found: object) -> object:
    """True or false, where a text or a number says so.

    >>> truth("Yes"), truth(0), truth("perhaps")
    (True, False, 'perhaps')
    """
    if isinstance(found, str):
        return _TRUTHS.get(found.strip().lower(), found)
    return bool(found) if type(found) is int and found in (0, 1) else found


def _text(name: str, found: Any) -> Any:
    return str(found) if type(found) is int else found


def _texts(found: Any, separator: str | None) -> Any:
    if isinstance(found, str) and separator:
        return [part for text in found.split(separator) if (part := text.strip())]
    if isinstance(found, list):
        return [str(each) if type(each) is int else each for each in found]
    return found


def _ms(name: str, found: Any, to_ms: ToMs | None) -> Any:
    if type(found) is Instant:
        return int(found)
    ms = found if to_ms is None and type(found) is int else to_ms(found) if to_ms is not None else None
    if ms is None and isinstance(found, str) and not found.isdigit():
        ms = iso_ms(found)  # its unit is known
    if ms is None:
        declared = "no time" if to_ms else "its unit is not declared"
        raise InvalidEvent("bad_type", f"{name} has value {shown(found)}: {declared}. Set `time` to its unit or form.")
    return ms


def _age(name: str, found: Any) -> Any:
    if isinstance(found, float) and found.is_integer():
        return int(found)  # a column with holes
    return int(found) if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 4 else found


def _object(name: str, found: Any) -> Any:
    if not isinstance(found, str):
        return found
    try:
        return orjson.loads(found)
    except orjson.JSONDecodeError:
        return found


_PLAIN: Final[dict[str, Shape]] = {
    TEXT: _text,
    TRUTH: lambda name, found: truth(found),
    AGE: _age,
    OBJECT: _object,
}
