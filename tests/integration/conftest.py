"""Real Kafka and Redis for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.local.stack import LocalStack
from tests.scene import Scene
from tests.stack import require, scene_on, shared_stack


@pytest.fixture(scope="session")
def shared() -> LocalStack:
    """The stack that all share who do no harm to it."""
    return require(shared_stack())


@pytest.fixture
def scene(shared: LocalStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A namespace of this test's own on the shared stack."""
    yield from scene_on(shared, tmp_path, monkeypatch)
