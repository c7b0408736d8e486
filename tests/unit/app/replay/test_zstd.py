import sys
from collections.abc import Callable

import pyarrow as pa
import pytest

from app.replay import EventLog, LogRecord
from models.errors import LogError

Open = Callable[..., EventLog]

LINES = b"".join(
    b'{"user_id":"u%d","item_id":"i%d","event_type":"view","timestamp":%d}\n' % (n % 7, n * 7919 % 997, n + 1)
    for n in range(20_000)
)
TO_BE_SKIPPED = b"\x50\x2a\x4d\x18\x02\x00\x00\x00ab"


def zstd(content: bytes) -> bytes:
    """One frame."""
    frame: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return frame


@pytest.mark.parametrize("name", ["log.jsonl.zst", "log.jsonl", "log"])
def test_zstd_is_read_whatever_its_name(open_made: Open, name: str) -> None:
    """Frames one after the other, some of them to be skipped, are one file, however the lines are cut by them."""
    packed = TO_BE_SKIPPED + zstd(LINES[:100_001]) + TO_BE_SKIPPED + zstd(LINES[100_001:])
    log = open_made(name, packed)
    assert b"".join(record.value + b"\n" for record in log) == LINES
    assert log.bytes_read == log.size_bytes == len(packed)


def test_csv_in_zstd(open_made: Open) -> None:
    """The ending before `.zst` says what is inside."""
    content = b"user_id,item_id,event_type,timestamp\nu,i,view,1\n"
    (record,) = open_made("log.csv.zst", zstd(content))
    assert record.value == b'{"user_id":"u","item_id":"i","event_type":"view","timestamp":1}'


@pytest.mark.parametrize("kept", [6, 40_000, -1])
def test_zstd_cut_short_is_an_error_after_what_could_be_read(open_made: Open, kept: int) -> None:
    """Lines before the cut are given, then the error names the file and the line that was reached."""
    packed = zstd(LINES)
    assert len(packed) > 80_000
    read: list[LogRecord] = []
    with pytest.raises(LogError, match=r"log\.jsonl, line \d+: damaged or truncated compressed data") as caught:
        read.extend(open_made("log.jsonl", packed[:kept]))
    assert f"line {len(read) + 1}:" in str(caught.value)


def test_what_follows_the_last_frame_must_be_one(open_made: Open) -> None:
    """Bytes that are no frame are not left out in silence."""
    with pytest.raises(LogError, match=r"damaged or truncated compressed data \(.*\): copy or download it again"):
        list(open_made("log.jsonl", zstd(LINES) + b"and more"))


def test_without_pyarrow_the_extra_is_named(open_made: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing, what for, and how to get it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(LogError, match=r"log\.jsonl .* zstd: reading it needs pyarrow.*pip install 'freshet\[logs\]'"):
        list(open_made("log.jsonl", b"\x28\xb5\x2f\xfd"))
