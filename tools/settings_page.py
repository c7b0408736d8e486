"""Writes docs/settings.md, the page of all settings, from the settings themselves.

python -m tools.settings_page
"""

import json
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from app.changes import on_change
from app.settings import DEFAULT_FILE, PREFIX, Settings, shown

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = f"""# Settings

Made from the code by `make docs`; `freshet settings` prints the same with the values in force and where each comes \
from, without secrets. Set one by the variable, or as `name = value` in `{DEFAULT_FILE}`, the name being the \
variable's end in small letters (`{PREFIX}CONFIG` names another file). The variable goes first.

"On change" is what a worker does that finds state made with another value: refuse to start, naming the command; \
warn, and go on; or nothing (free).

| variable | default | on change | meaning |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {on_change(field)} | {_cell(str(field.description))} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    value: Any = shown(field, field.get_default(call_default_factory=True, validated_data={}))
    if value is None or value in ("", (), [], {}):
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=list)
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
