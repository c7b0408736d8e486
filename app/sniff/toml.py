"""Settings of a source as TOML that can be pasted."""

import json
import re
from collections.abc import Mapping
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def source_toml(name: str, words: Mapping[str, Any]) -> str:
    """The lines of `[sources.<name>]`: values first, tables behind them."""
    table = f"sources.{_key(name)}"
    values = {key: value for key, value in words.items() if not isinstance(value, Mapping)}
    inner = {key: value for key, value in words.items() if isinstance(value, Mapping)}
    lines = [f"[{table}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items())]
    for key, entries in inner.items():
        lines += ["", f"[{table}.{_key(key)}]", *(f"{_key(each)} = {_value(value)}" for each, value in entries.items())]
    return "\n".join(lines) + "\n"


def _key(text: str) -> str:
    return text if _BARE.fullmatch(text) else _value(text)


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(each) for each in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
