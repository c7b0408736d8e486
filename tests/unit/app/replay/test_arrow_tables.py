"""Arrow's own files: of pandas and Polars (Feather), and streams as Hugging Face keeps them."""

import io
import warnings
from collections.abc import Callable

import orjson
import pyarrow as pa
import pytest
from pyarrow import feather, ipc

from app.replay import EventLog
from models.errors import LogError
from tests.command import freshet

Open = Callable[..., EventLog]
MS = 1_700_000_000_000


def table(n: int) -> pa.Table:
    """Views, their items in a dictionary, beside a column that nobody asks for."""
    items = pa.array([f"i{row % 3}" for row in range(n)]).dictionary_encode()
    users = [float(row % 7) if row % 5 else None for row in range(n)]
    return pa.table({"item_id": items, "page": [b"\xff"] * n, "user_id": users, "timestamp": range(MS, MS + n)})


def packed(kind: str, rows: pa.Table) -> bytes:
    """The bytes of a file of this kind."""
    sink = io.BytesIO()
    if kind == "feather":
        feather.write_feather(rows, sink, compression="zstd")
    else:
        maker = ipc.new_file if kind == "file" else ipc.new_stream
        with maker(sink, rows.schema) as writer:
            writer.write_table(rows, max_chunksize=7_000)
    return sink.getvalue()


@pytest.mark.parametrize("kind", ["feather", "file", "stream"])
@pytest.mark.parametrize("name", ["log.arrow", "log.csv"])
def test_rows_become_events(open_made: Open, kind: str, name: str) -> None:
    """In the order of the file, from every batch; nulls are missing fields; the name says nothing."""
    n = 25_000
    log = open_made(name, packed(kind, table(n)), event_type="view")
    records = list(log)
    assert [record.timestamp_ms for record in records] == list(range(MS, MS + n))
    first, second = (orjson.loads(record.value) for record in records[:2])
    assert first == {"item_id": "i0", "event_type": "view", "timestamp": MS}
    assert second == {"user_id": "1", "item_id": "i1", "event_type": "view", "timestamp": MS + 1}
    assert log.n_records() == (None if kind == "stream" else n)


@pytest.mark.parametrize("kind", ["feather", "stream"])
def test_missing_columns_are_named(open_made: Open, kind: str) -> None:
    """What is missing, what there is, and the flag."""
    said = "no column 'event_type'; the header has 'item_id, page, user_id, timestamp': name the columns with --column"
    with pytest.raises(LogError, match=said):
        list(open_made("log.arrow", packed(kind, table(2))))


@pytest.mark.parametrize("kind", ["feather", "stream"])
def test_a_damaged_file_is_an_error(open_made: Open, kind: str) -> None:
    """Cut short it is not taken for another format, or for a shorter log."""
    content = packed(kind, table(25_000))
    with pytest.raises(LogError, match=r"log\.arrow: not Arrow that can be read, "):
        list(open_made("log.arrow", content[: len(content) // 2], event_type="view"))


def test_the_first_form_of_feather_is_refused_by_name(open_made: Open) -> None:
    """It is not taken for text."""
    sink = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        feather.write_feather(pa.table({"user_id": ["u"]}), sink, version=1)
    with pytest.raises(LogError, match=r"Feather of version 1\. Write it anew"):
        list(open_made("log.feather", sink.getvalue()))


def test_source_and_flags_read_the_same_events(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column with holes, a dictionary and a stream make no difference."""
    monkeypatch.chdir(str(tmp_path))
    with open("freshet.toml", "w") as toml:
        toml.write('[sources.web]\ntime = "ms"\nconstants = { event_type = "view" }\n')
    rows = table(4).drop(["page"]).slice(1)
    with open("log.arrow", "wb") as file:
        file.write(packed("stream", rows))
    by_flags = freshet("replay", "log.arrow", "--event-type", "view", "--inline", "--json")
    by_source = freshet("replay", "log.arrow", "--source", "web", "--inline", "--json")
    assert (by_flags.code, by_source.code) == (0, 0), by_source.err
    assert orjson.loads(by_source.out)["digests"] == orjson.loads(by_flags.out)["digests"]
