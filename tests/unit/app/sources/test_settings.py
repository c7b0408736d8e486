"""`[sources.<name>]`: what is taken, what is refused and how the refusal is worded."""

import re
import tomllib
from pathlib import Path

import orjson
import pytest

from app.settings import load_settings
from app.sources import SourceSettings
from app.worker.process import environment
from models.errors import SettingsError
from tests.command import freshet


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of the test."""
    path = tmp_path / "freshet.toml"
    monkeypatch.setenv("FRESHET_CONFIG", str(path))
    return path


def test_a_source_is_read_from_the_file_and_reaches_a_child(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every word comes through, aliases of any characters too; a worker that is started has the same sources."""
    written.write_text(
        '[sources.web]\ntopics = ["clicks", "orders"]\nformat = "confluent+segment"\nregistry = "http://registry:8081"\n'
        'item_id = "each.sku"\nignore = ["Signed Up"]\n\n[sources.web.types]\n"Product Viewed" = "view"\n"x.y" = ""\n'
        '\n[sources.web.context]\ndevice = "context.device.type"\n'
    )
    settings = load_settings()
    web = settings.sources["web"]
    assert web.topics == ("clicks", "orders")
    assert (web.wrappers, web.event_format) == (("confluent",), "segment")
    assert web.types == {"Product Viewed": "view", "x.y": ""}
    monkeypatch.delenv("FRESHET_CONFIG")
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings().sources == settings.sources


REFUSED = {
    'format = "segmnt"': "format has value 'segmnt': not a format. Use one of confluent, connect",
    'format = "segment+confluent"': "the outermost first",
    'format = "segment+ga4"': "not a format",
    'time = "sec"': "time has value 'sec': no unit or form of a time. Use one of s, ms",
    'time = "%Q"': "bad directive",
    'user_id = "a..b"': "user_id has value 'a..b': no JMESPath",
    'context = {a = "b["}': "no JMESPath",
    'where = "a =="': "no JMESPath",
    'kind = "clicks"': "Expected: what the records are: events, items or users",
    'sku = "a"': "sku is no setting of a source. Use one of topics, kind, format",
    'fields = {title = "a"}': 'fields is for kind = "items"',
    'kind = "items"\nformat = "segment"': "format segment is one of events",
    'types = {"Product Viewed" = "vi ew"}': "names no type",
    'constants = {sku = "a"}': "'sku' is no field",
    'item_id = "a"\nconstants = {item_id = "b"}': "item_id is a path and a constant. Keep one",
    'registry = "http://r"': "registry goes with format confluent",
    'format = "confluent"\nregistry = "r:80"': "Expected: confluent: URL of the schema registry",
    'format = "confluent"\nregistry = "http://r"\nschema_file = "s"': "Keep one of them",
    'ops = ["c"]': "ops goes with format debezium",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_setting_that_cannot_be_used_is_named_with_the_way_out(text: str, written: Path) -> None:
    """The message begins with the source's name in brackets, and says what is allowed."""
    written.write_text(f"[sources.web]\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith("[sources.web] ")
    assert REFUSED[text] in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('types = {"Product Viewed" = "viw", x = ""}', "types 'Product Viewed' has value 'viw': no type of event"),
        ('constants = {event_type = "viw"}', "constants event_type has value 'viw': no type of event. Use one of"),
    ],
)
def test_a_type_of_event_that_is_not_known_is_refused_until_it_is(text: str, said: str, written: Path) -> None:
    """The message names the nearest type and the setting that makes it known; what is made known is taken."""
    written.write_text(f"[sources.web]\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert f"[sources.web] {said}" in str(caught.value)
    assert ', e.g. view; or declare it in FRESHET_EXTRA_EVENT_TYPES, e.g. {"viw": [1.0, 1]}' in str(caught.value)

    written.write_text(f"extra_event_types = {{viw = [1.0, 1]}}\n[sources.web]\n{text}\n")
    assert "web" in load_settings().sources


def test_the_examples_of_the_docs_are_settings() -> None:
    """Every TOML block of docs/sources.md loads."""
    text = (Path(__file__).parents[4] / "docs" / "sources.md").read_text()
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    sources = [source for block in blocks for source in tomllib.loads(block)["sources"].values()]
    assert len(sources) == len(blocks) == 4
    for source in sources:
        SourceSettings.model_validate(source)


def test_settings_show_sources_without_passwords(written: Path) -> None:
    """`freshet settings` lists what a source says, and hides the password of its registry."""
    written.write_text('[sources.web]\nformat = "confluent"\nregistry = "http://user:hunter2x@registry"\n')
    outcome = freshet("settings", "--json")
    (row,) = (each for each in orjson.loads(outcome.out) if each["name"] == "sources")
    assert row["value"] == {"web": {"format": "confluent", "registry": "http://user:***@registry"}}
    assert row["source"] == "file" and "hunter2x" not in freshet("settings").out


def test_a_registry_that_is_refused_keeps_its_password(written: Path) -> None:
    """An address of another kind is shown without what stands before the @."""
    written.write_text('[sources.web]\nformat = "confluent"\nregistry = "ftp://user:hunter2x@registry"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "ftp://user:***@registry" in str(caught.value) and "hunter2x" not in str(caught.value)


@pytest.mark.parametrize("name", ["clickout item", "Product Viewed", ""])
def test_a_type_that_no_worker_takes_is_refused_where_it_is_set(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`freshet settings` shows nothing that a worker would refuse; the message names the alias."""
    monkeypatch.setenv("FRESHET_EXTRA_EVENT_TYPES", orjson.dumps({name: [1.0, 1]}).decode())
    outcome = freshet("settings")
    assert outcome.code == 2
    assert "event type name has value" in outcome.err and "[sources.<name>] types" in outcome.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('topics = ["user_events"]', "[sources.a] topics names user_events, which is Freshet's own"),
        ('topics = ["user_events.dead_letters"]', "which is Freshet's own"),
        ('topics = ["items"]\nkind = "items"', "[sources.a] topics names items, which is Freshet's own"),
        ('topics = ["freshet.users"]', "[sources.a] topics names freshet.users, which is Freshet's own"),
        ('topics = "clicks"', "[sources.a] topics has value 'clicks': no array, which stands in brackets"),
        ('topics = ["t"]\n[sources.b]\ntopics = ["t"]', "[sources.b] topics names t, as [sources.a] does"),
    ],
)
def test_a_source_reads_no_topic_of_ours_and_none_of_another(text: str, said: str, written: Path) -> None:
    """Reading what it writes would go round for ever, and two readings of one topic would count twice."""
    written.write_text(f"[sources.a]\n{text}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert said in str(caught.value)
