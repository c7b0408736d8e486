"""docs/contracts.md says what the code does: its examples are parsed by it, its names are compared with it."""

import io
import re
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import orjson
import pytest
from aiokafka import ConsumerRecord

from app.client import requests
from app.dead_letters.read import dead_letter
from app.entry_files import EntryFile, entry_maker, flag_settings, needed_columns
from app.intake.output import MAX_HEADERS_BYTES
from app.intake.reading import NO_SOURCE
from app.settings import Settings
from app.sources.rewritten import SOURCE_HEADER, SOURCE_TIME, SOURCE_TOPIC
from app.worker.dead_letters import letter_of
from models.errors import InvalidEvent
from models.event_types import DEFAULT_TYPES, type_codes
from models.events import REASONS, Event, decode
from models.ids import hash64
from models.source_names import CO_OCCURRENCE, DIRECTED, HISTORY, LAST_ITEM, POPULARITY, RATINGS, TRENDING
from tables.catalogue import ENTRY_FIELDS, parse_entry
from tables.entry_fields import MAX_ENTRY_BYTES, WANTED
from tables.features import item_fields, user_fields
from tables.keys import TRENDING_WINDOWS, Keys
from tables.list_encoding import encode_list
from tables.list_fields import LISTABLE, MAX_FIELD_BYTES, MAX_LIST_FIELDS, listed
from tables.list_json import ListItem, decode_list
from tables.names import Names
from tables.profiles import PROFILE_FIELDS, parse_profile
from tables.view import ItemView
from tests.logs import Record
from tests.saved import folded

TEXT = (Path(__file__).parents[2] / "docs" / "contracts.md").read_text()
SETTINGS = Settings()
TYPES = {code: name for name, code in type_codes(DEFAULT_TYPES).items()}
SHOWN = {"text": "string", "texts": "array of strings", "truth": "boolean", "time": "integer", "age": "integer",
         "object": "object"}  # fmt: skip


def examples(tag: str) -> list[str]:
    """The blocks of code with this tag: their language and their title."""
    language, _, title = tag.partition(" ")
    found = re.findall(rf'^```{language} title="{title}"\n(.*?)^```$', TEXT, re.MULTILINE | re.DOTALL)
    assert found, f"no example is tagged {tag}"
    return found


def rows(heading: str) -> dict[str, str]:
    """First cell, without its quotes, and second cell of each row of the first table under a heading."""
    part = re.split(rf"^#+ {heading}$", TEXT, flags=re.MULTILINE)[1]
    table = re.search(r"^\|.*?(?=^[^|]|\Z)", part, re.MULTILINE | re.DOTALL)
    assert table is not None
    lines = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[0].splitlines()[2:]]
    return {name.strip("`"): cells[0] for first, *cells in lines for name in first.split(", ")}


def json_keys(text: str) -> list[str]:
    """Field names of a JSON object, in order."""
    return list(orjson.loads(text))


@pytest.mark.parametrize("text", examples("json event"))
def test_events(text: str) -> None:
    """Each is one that a worker folds."""
    key = str(orjson.loads(text)["user_id"]).encode()
    assert decode(key, text.encode(), 1_700_000_000_000, SETTINGS.fold.rules).user_id == key.decode()


def test_fields_of_events() -> None:
    """All of them, and no other; every built-in type is named."""
    assert list(rows("Events")) == [name.removesuffix("_ms") for name in Event._fields[:4]] + [*Event._fields[4:]]
    assert re.findall(r"`(\w+)`", re.findall(r"^\| `event_type` .*needed: (.*), or", TEXT, re.MULTILINE)[0]) == [
        *DEFAULT_TYPES
    ]
    assert f"at most {SETTINGS.fold.rules.max_bytes:,} bytes" in TEXT
    assert f"at most {MAX_ENTRY_BYTES:,} bytes" in TEXT


@pytest.mark.parametrize("text", examples("json item"))
def test_catalogue_entries(text: str) -> None:
    """Each is one that workers take, with no field that they would ignore."""
    parse_entry(text.encode())
    assert set(json_keys(text)) <= ENTRY_FIELDS.keys()


@pytest.mark.parametrize("text", examples("json user"))
def test_profiles(text: str) -> None:
    """Each is valid, and the example has every field."""
    parse_profile(text.encode())
    assert json_keys(text) == [*PROFILE_FIELDS]


def test_fields_of_entries_and_profiles() -> None:
    """All of them with their types, and no other."""
    assert set(SHOWN) == set(WANTED)
    for heading, kinds in (("Catalogue entries", ENTRY_FIELDS), ("Profiles", PROFILE_FIELDS)):
        assert rows(heading) == {name: SHOWN[kind] for name, kind in kinds.items()}


def test_files_of_entries() -> None:
    """The table of the example becomes an entry and a deletion."""
    (text,) = examples("csv items")
    make = entry_maker(SETTINGS, flag_settings("items", {}, "ms", "|"))
    file = EntryFile(None, io.BytesIO(text.encode()))
    made = [entry for _, row in file.rows("auto", needed_columns("items", {})) for entry in make(row)]
    assert [(key, value and orjson.loads(value)) for key, value in made] == [
        (b"sku-1", {"title": "Desk lamp", "categories": ["light", "home"], "attributes": {"brand": "Lumo"},
                    "hidden": False, "available_until": 1_924_992_000_000}),
        (b"sku-2", None),
    ]  # fmt: skip


def test_dead_letters() -> None:
    """The headers of the example are read as those of a letter; the tables have all headers and all reasons."""
    (text,) = examples("json dead letter")
    headers = [(name, value.encode()) for name, value in orjson.loads(text).items()]
    found = dead_letter(cast(ConsumerRecord, SimpleNamespace(headers=headers, key=b"", value=b"", timestamp=0)))
    assert (found.reason, str(found.origin), found.time_ms) == (
        "unknown_event_type", "user_events/3/1207", 1_700_000_000_123,
    )  # fmt: skip
    record = SimpleNamespace(key=b"x" * 70_000, value=b"y" * 70_000, topic="t", partition=0, offset=0, timestamp=0)
    letter = letter_of(cast(ConsumerRecord, record), InvalidEvent("too_large", "so it is"), 140_000)
    of_sources = {f"{SOURCE_HEADER}NAME", SOURCE_TOPIC, SOURCE_TIME}
    assert rows("Dead letters").keys() == {name for name, _ in letter.headers} | of_sources
    assert f"{MAX_HEADERS_BYTES:,} bytes of them at most" in TEXT
    assert f"Topics of sources have `{NO_SOURCE}`, too" in TEXT
    part = TEXT.split("| reason | |")[1]
    assert re.findall(r"^\| `(\w+)` \|", part[: part.index("Topics of sources")], re.MULTILINE) == [*REASONS]


def test_topics() -> None:
    """All of them, and no other; the settings that rename them rename them."""
    specs = [*Names().topics(SETTINGS.partitions), *Names().intake_topics()]
    assert list(rows("Topics")) == [spec.name for spec in specs]
    for spec in specs:
        line = next(line for line in TEXT.splitlines() if line.startswith(f"| `{spec.name}` |"))
        assert ("compacted" in line) == (spec.config.get("cleanup.policy") == "compact")
        assert ("1 partition" in line) == (spec.partitions == 1)
        kept = re.search(r"(\d+) (hours|days)", line)
        assert (kept and int(kept[1]) * {"hours": 3_600_000, "days": 86_400_000}[kept[2]]) == (
            int(spec.config["retention.ms"]) if "retention.ms" in spec.config else None
        )
    given = Names(events_topic="a", items_topic="b", users_topic="c")
    assert (given.events, given.catalogue, given.profiles, given.group) == ("a", "b", "c", "freshet")
    assert all(f"FRESHET_{name}_TOPIC" in TEXT for name in ("EVENTS", "ITEMS", "USERS"))
    assert Names("shop").events == "shop.user_events" and Keys("shop").default_list() == "shop:recs:default"


def test_keys() -> None:
    """Every key that the code can name, by its pattern, and no other."""
    keys = Keys()
    window = "1h"
    assert window in TRENDING_WINDOWS
    expected = [
        keys.user_list("<user_id>"),
        keys.segment_list("<segment>"),
        keys.default_list(),
        keys.item_similarity("<item_id>"),
        keys.trending(window).replace(window, "<window>"),
        keys.trending(window, "<category>").replace(window, "<window>"),
        keys.user_features("<user_id>"),
        keys.item_features("<item_id>"),
        keys.sentinel(),
        keys.doctor_probe(),
    ]
    public = [name for name in vars(Keys) if not name.startswith("_") and callable(getattr(Keys, name))]
    named = [name for name in public if not name.endswith("_patterns")]
    assert len(named) == len(expected) - 1, "a key is new: name it in docs/contracts.md, and here"  # trending has two
    assert list(rows("Redis keys")) == expected
    assert all(any(fnmatchcase(key, glob) for glob in keys.read_patterns()) for key in expected[:-2])
    assert all(any(fnmatchcase(key, glob) for glob in keys.written_patterns()) for key in expected)
    assert all(f"`{window}`" in TEXT for window in TRENDING_WINDOWS)


def test_lists() -> None:
    """The example is read as a list, as the reader reads it; the table has each of its fields."""
    text, with_fields = examples("json recs")
    found = decode_list(text.encode())
    assert requests.recs(Keys(), "u42", None).answer([text.encode(), None]) == found
    assert found.version == "000001-0000000000001207"
    made = encode_list(
        epoch=found.epoch, offset=found.offset, user_id=found.user_id, namespace="", model=found.model,
        generated_at_ms=found.generated_at_ms, source=found.source, variant=found.variant, items=found.items,
    )  # fmt: skip
    assert orjson.loads(made) == {**orjson.loads(text), "list_id": orjson.loads(made)["list_id"]}
    assert json_keys(text) == json_keys(made.decode())
    own = [f"items[].{ {'item_id': 'id'}.get(name, name) }" for name in ListItem._fields]
    assert list(rows("Lists")) == [*(name for name in json_keys(text)), *own[1:], "items[].fields"]
    named = re.findall(r"Fields of the catalogue that may stand there: (.*?)\. Values", TEXT)[0]
    assert re.findall(r"`([^`]+)`", named) == [*LISTABLE, "attributes.NAME"]
    assert f"up to {MAX_LIST_FIELDS} names" in TEXT and f"longer than {MAX_FIELD_BYTES:,} bytes" in TEXT
    shown = {"sku-7": listed(parse_entry(examples("json item")[0].encode()), ["title", "attributes.price"])}
    made = encode_list(
        epoch=found.epoch, offset=found.offset, user_id=found.user_id, namespace="", model=found.model,
        generated_at_ms=found.generated_at_ms, source=found.source, variant=found.variant, items=found.items,
        fields=shown,
    )  # fmt: skip
    assert orjson.loads(made) == {**orjson.loads(with_fields), "list_id": orjson.loads(made)["list_id"]}
    sources = re.findall(r"who proposed it: (.*) \|", TEXT)[0]
    assert re.findall(r"`(\w+)`", sources) == [
        CO_OCCURRENCE,
        HISTORY,
        TRENDING,
        POPULARITY,
        "FRESHET_SOURCE_WEIGHTS",
        LAST_ITEM,
        DIRECTED,
        RATINGS,
    ]


def test_features() -> None:
    """The fields of the examples are those that the first event of the examples makes, and the first entry."""
    event, entry = examples("json event")[0].encode(), parse_entry(examples("json item")[0].encode())
    state = folded([Record(0, 1_700_000_000_000, b"u42", event)], SETTINGS.fold)
    user = state.users.get("u42")
    assert user is not None and hash64("sku-1") in user.seen
    made = {name: str(value) for name, value in user_fields(user, TYPES, user.last_ms, 1_700_000_000_456).items()}
    assert made == orjson.loads(examples("json user_features")[0])

    view = ItemView(SETTINGS.fold.cooccurrence)
    view.set_share(0, state.items)
    fields = item_fields(view, "sku-1", TYPES, user.last_ms, 1_700_000_000_456)
    made = {name: str(value) for name, value in fields.items()} | dict(entry.fields)
    assert made == orjson.loads(examples("json item_features")[0])


def test_every_example_has_a_test() -> None:
    """No block of code but those that are read here, and a reader, which the tests of the first hour run."""
    tags = re.findall(r"^```(.+)$", TEXT, re.MULTILINE)
    known = ("event", "item", "user", "dead letter", "recs", "user_features", "item_features")
    assert set(tags) == {f'json title="{tag}"' for tag in known} | {'csv title="items"', "python"}
