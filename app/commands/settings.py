"""`freshet settings`."""

import os
from pathlib import Path
from typing import Any, Final

import click
from pydantic_settings import EnvSettingsSource, TomlConfigSettingsSource

from app.commands.flags import json_flag
from app.commands.output import note, print_json, print_table

OF_LISTS: Final = ("list_size", "blend", "source_weights", "proposals", "look", "max_per_category")
"""Settings that shape lists and no state."""


@click.command()
@json_flag
def settings(as_json: bool) -> None:
    """List every setting: its value, its default, its meaning, and where the value comes from.

    Set one by the variable FRESHET_<NAME IN CAPITALS>, or as `name = value` in freshet.toml (FRESHET_CONFIG names
    another file). The variable goes first. Passwords are not shown.

    "on change" is what a worker does that finds state made with another value: refuse to start, naming the command;
    warn, and go on; or nothing (free).

    At the end stand the names of the ways that lists are made, as published lists have them (`model`), and which
    settings they stand for.

    \b
    Examples:
      freshet settings
      FRESHET_HISTORY_SIZE=50 freshet settings --json | jq '.[] | select(.source != "default")'
    """
    rows = list_settings()
    if as_json:
        print_json(rows)
        return
    columns = ("name", "value", "default", "source", "on_change", "meaning")
    lines = [tuple(row[column] for column in columns) for row in rows]
    print_table(("setting", "value", "default", "from", "on change", "meaning"), lines)
    path = config_path()
    note(f"settings file: {path}" + ("" if path.exists() else " (not there)"))
    note(models_in_force())


def config_path() -> Path:
    """The TOML file that is read if it is there."""
    from app.settings import DEFAULT_FILE, PREFIX

    return Path(os.environ.get(f"{PREFIX}CONFIG", DEFAULT_FILE))


def models_in_force() -> str:
    """The names that lists made with these settings carry, and the settings that such a name stands for."""
    from app.changes import owner
    from app.settings import Settings, load_settings
    from tables.list_model import ListModels

    settings = load_settings()
    models = ListModels(settings.fold, settings.lists, settings.list_size)
    fields = Settings.model_fields
    owned = {found[0] for part in models.shapes if (found := owner(part, fields)) is not None}
    named = [name for name in fields if name in owned or name in OF_LISTS]
    return f"model of users' lists: {models.blend}, of the default list: {models.filler}; made of {', '.join(named)}"


def list_settings() -> list[dict[str, Any]]:
    """Every setting as a row; `source` is `environment`, `file` or `default`.

    Raises
    ------
    SettingsError
        If one of them cannot be used.
    """
    from app.changes import on_change
    from app.settings import PREFIX, Settings, load_settings, shown

    settings = load_settings()
    values = settings.model_dump()
    values["sources"] = {name: source.model_dump(exclude_defaults=True) for name, source in settings.sources.items()}
    given = {"environment": EnvSettingsSource(Settings)(), "file": TomlConfigSettingsSource(Settings, config_path())()}
    return [
        {
            "name": name,
            "variable": f"{PREFIX}{name.upper()}",
            "value": shown(field, values[name]),
            "default": shown(field, field.get_default(call_default_factory=True, validated_data={})),
            "source": next((source for source, names in given.items() if name in names), "default"),
            "on_change": on_change(field),
            "meaning": field.description,
        }
        for name, field in Settings.model_fields.items()
    ]
