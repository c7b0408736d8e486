"""Settings: what is in force, where it comes from, and what changing it does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import htpy as h
import orjson
from htpy import Element, Node

from app.changes import on_change
from app.dashboard import kit
from app.dashboard.page import Asked, Page
from app.settings import PREFIX, Settings, shown

GROUPS: Final[Mapping[str, str]] = {
    "dashboard_": "Dashboard",
    "gateway_": "Gateway",
    "metrics_": "Metrics",
    "kafka_": "Kafka",
    "redis_": "Redis",
    "checkpoint_": "Checkpoints",
}
OTHERS: Final = "Stream, state and lists"


async def parts(asked: Asked) -> Mapping[str, Node]:
    """What is kept up to date: nothing changes while the dashboard runs."""
    settings = asked.sources.settings
    find = asked.text("find").casefold()
    by_group: dict[str, list[Sequence[Node]]] = {OTHERS: [], **{title: [] for title in GROUPS.values()}}
    for name, field in Settings.model_fields.items():
        if find and find not in name and find not in (field.description or "").casefold():
            continue
        group = next((title for prefix, title in GROUPS.items() if name.startswith(prefix)), OTHERS)
        default = field.get_default(call_default_factory=True, validated_data={})
        value = _value(settings, name)
        changed = value != default
        by_group[group].append(
            (
                h.code(title=f"{PREFIX}{name.upper()}")[name],
                h.span[h.code[_text(shown(field, value))], changed and [" ", kit.badge("set")]],
                kit.prose(field.description or ""),
                on_change(field),
            )
        )
    found = {title: rows for title, rows in by_group.items() if rows}
    if not found:
        return {"settings": kit.card("Nothing", kit.empty("No setting is called so, or says so.", "Look for less."))}
    return {"settings": [_group(title, rows) for title, rows in found.items()]}


def _group(title: str, rows: Sequence[Sequence[Node]]) -> Element:
    columns = ("setting", "value", "meaning", "on change")
    return kit.card(title, kit.table(columns, rows, caption=f"Settings: {title}", stacks=True))


def _value(settings: Settings, name: str) -> Any:
    if name == "sources":
        return {source: found.model_dump(exclude_defaults=True) for source, found in settings.sources.items()}
    return getattr(settings, name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def head(asked: Asked) -> Node:
    """The search."""
    return h.div[
        h.p(".note")[
            "As this dashboard was started with; workers have their own. Change one by its variable or in "
            "freshet.toml, and start anew. On change: what a worker does that finds state made with another value. No "
            "secret is shown."
        ],
        kit.search("/settings", kit.field("Find", "find", asked.text("find"), maxlength="60"), button="Find"),
    ]


SETTINGS: Final = Page("/settings", "Settings", "settings", "What is in force?", parts, head, ("find",))
