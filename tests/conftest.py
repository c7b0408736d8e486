"""The folder decides the marker: a test in tests/unit is a `unit` test, and so on."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent

# kernels compile at their first call, which takes seconds once
settings.register_profile("freshet", deadline=None, print_blob=True)
settings.register_profile("fewer", settings.get_profile("freshet"), max_examples=30)  # for more interpreters
settings.load_profile("freshet")


def pytest_configure() -> None:
    """SIGTERM ends a run as Ctrl-C does: no server, worker or folder stays behind."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test below tests/ by its first folder; a folder without a marker in pyproject.toml is an error."""
    for item in items:
        if item.path.is_relative_to(TESTS):
            item.add_marker(item.path.relative_to(TESTS).parts[0])
