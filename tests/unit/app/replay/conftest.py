"""Opening made logs with the flags left at their defaults."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.replay import EventLog, open_log


@pytest.fixture
def open_made(tmp_path: Path) -> Callable[..., EventLog]:
    """Write bytes into a file of this name and open it as a log."""

    def opener(
        name: str,
        content: bytes,
        *,
        columns: dict[str, str] | None = None,
        event_type: str | None = None,
        timestamp_unit: str = "ms",
    ) -> EventLog:
        path = tmp_path / name
        path.write_bytes(content)
        return open_log(path, dataset=None, columns=columns or {}, event_type=event_type, timestamp_unit=timestamp_unit)

    return opener
