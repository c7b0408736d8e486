"""`freshet settings`."""

from pathlib import Path

import orjson
import pytest

from app.settings import Settings
from tables.list_model import ListModels
from tests.command import freshet


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRESHET_CONFIG", raising=False)


def test_every_setting_with_its_origin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each setting is listed once; a variable goes before the file, the file before the default."""
    (tmp_path / "freshet.toml").write_text("history_size = 7\nmax_seen = 99\n")
    monkeypatch.setenv("FRESHET_HISTORY_SIZE", "50")

    outcome = freshet("settings", "--json")

    rows = {row["name"]: row for row in orjson.loads(outcome.out)}
    assert rows.keys() == Settings.model_fields.keys()
    picked = {name: (rows[name]["value"], rows[name]["source"]) for name in ("history_size", "max_seen", "partitions")}
    assert picked == {"history_size": (50, "environment"), "max_seen": (99, "file"), "partitions": (4, "default")}
    assert rows["history_size"]["default"] == 20
    assert rows["history_size"]["variable"] == "FRESHET_HISTORY_SIZE"
    assert all(row["meaning"] for row in rows.values())


def test_the_names_of_lists_and_what_they_stand_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names are those that workers write; what is named is what changes them."""
    before = freshet("settings").err.splitlines()[-1]
    models = ListModels(Settings().fold, Settings().lists, Settings().list_size)
    assert f"users' lists: {models.blend}, of the default list: {models.filler};" in before
    names = before.split("made of ")[1].split(", ")
    assert {"history_size", "extra_event_types", "list_size"} <= set(names)
    assert not {"evaluate_fraction", "partitioner", "list_fields", "refresh_s"} & set(names)

    assert "max_per_category" in names
    for name in ("FRESHET_HISTORY_SIZE", "FRESHET_MAX_PER_CATEGORY"):
        with monkeypatch.context() as changed:
            changed.setenv(name, "7")
            assert f"{models.blend}," not in freshet("settings").err


def test_passwords_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No password reaches the screen, in either format."""
    monkeypatch.setenv("FRESHET_REDIS_URL", "redis://writer:s3cret@cache:6379/0")
    monkeypatch.setenv("FRESHET_REDIS_PASSWORD", "s3cret")
    monkeypatch.setenv("FRESHET_REDIS_SENTINEL_PASSWORD", "s3cret")

    for outcome in (freshet("settings"), freshet("settings", "--json")):
        assert "redis://writer:***@cache:6379/0" in outcome.out
        assert "s3cret" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HISTORY_SIZE", "many", "has value 'many': not an integer. Use 1 to 1000, e.g. 20: items of a user's history"),
        ("HISTORY_SIZE", "0", "has value '0': too small. Use 1 to 1000, e.g. 20:"),
        ("MAX_PER_CATEGORY", "501", "has value '501': too large. Use 0 to 500, e.g. 3: items of one category"),
        ("CHECKPOINT_S", "100", "has value '100': too large. Use 0.05 to 60, e.g. 1.0:"),
        ("MAX_USERS", "9", "has value '9': too small. Use 10 or more, e.g. 1000000:"),
        ("SESSION_TIMEOUT_S", "inf", "has value 'inf': not a finite number. Use 1 to 1800, e.g. 20.0:"),
        ("CONFIG", "/no/such.toml", "names /no/such.toml, and there is no such file. Mend the file, or unset"),
        ("POSITIVE_RATING", "high", "has value 'high': not a number. Use a number, e.g. 4.0:"),
        ("PARTITIONER", "md5", "has value 'md5': not one of them. Use murmur2 or crc32 or fnv1a or"),
        ("NAMESPACE", "My shop", "has value 'My shop': not of this form. Use text that matches ^[a-z0-9]["),
        ("EXTRA_EVENT_TYPES", "{bad", """has value '{bad': not JSON. Use JSON, e.g. {"share": [2.0, 1]}:"""),
        ("EXTRA_EVENT_TYPES", '{"share": [1]}', "Field required, at share.1. Use JSON, e.g."),
        ("LIST_FIELDS", "title", """has value 'title': not JSON. Use JSON, e.g. ["title", "attributes.price"]:"""),
        ("LIST_FIELDS", '["titel"]', "has value ['titel']: 'titel' is no field of the catalogue that lists may have:"),
        ("LIST_FIELDS", '["hidden"]', "hidden is the same for all: items that are hidden are in no list. Take it out."),
    ],
)  # fmt: skip
def test_setting_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    """A bad value ends with 2, and with the name, the value, what is wrong, the range and an example."""
    monkeypatch.setenv(f"FRESHET_{name}", value)

    outcome = freshet("settings")

    assert (outcome.code, outcome.out) == (2, "")
    assert f"FRESHET_{name} " in outcome.err
    assert said in outcome.err


def test_a_variable_that_is_no_setting_is_told_once_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest setting is named, the command goes on; what others read is passed over, whatever its case."""
    names = ("PARTITIONR", "KAFKA_PASSWRD", "XYZ", "REDIS_IMAGE", "API_SERVICE_HOST", "API_PORT_80_TCP_ADDR", "PORT")
    for name in names:
        monkeypatch.setenv(f"FRESHET_{name}", "s3cret")
    monkeypatch.setenv("freshet_history_size", "7")

    first, second = freshet("settings"), freshet("settings")

    assert (first.code, second.code) == (0, 0)
    assert [line for line in first.err.splitlines() if "is no setting" in line] == [
        "freshet: the variable FRESHET_KAFKA_PASSWRD is no setting, and is ignored. Is FRESHET_KAFKA_PASSWORD meant?",
        "freshet: the variable FRESHET_PARTITIONR is no setting, and is ignored. Is FRESHET_PARTITIONER meant?",
        "freshet: the variable FRESHET_XYZ is no setting, and is ignored. `freshet settings` lists them all.",
    ]
    assert "is no setting" not in second.err and "s3cret" not in first.err


def test_examples_of_settings_can_be_used() -> None:
    """What a message offers as an example is a value that is taken."""
    for name, field in Settings.model_fields.items():
        for example in field.examples or ():
            assert Settings(**{name: example}).model_fields_set == {name}
    assert Settings(extra_event_types={"share": (2.0, 1)}).fold.rules.types["share"].polarity == 1
