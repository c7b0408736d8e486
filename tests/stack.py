"""The local stack that tests share: started once by the run itself, by the first test that asks for it."""

import asyncio
import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest
import redis
from aiokafka.admin import AIOKafkaAdminClient

from app.local.stack import LocalStack
from models.errors import FreshetError
from tests.scene import Scene


@cache
def shared_stack() -> LocalStack | FreshetError:
    """The one stack of this run, or why there is none; it stops with the process."""
    folder = Path(tempfile.mkdtemp(prefix="freshet-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    stack = LocalStack(folder)
    try:
        stack.start()
    except FreshetError as error:
        return error
    atexit.register(stack.stop)
    return stack


def require(stack: LocalStack | FreshetError) -> LocalStack:
    """The stack; without one the test is skipped, on CI it fails."""
    if isinstance(stack, LocalStack):
        return stack
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has no local stack: {stack}")
    pytest.skip(f"no local stack: {stack}")


def own_stack(folder: Path) -> Iterator[LocalStack]:
    """A stack to be killed at will; for a fixture that ends with `yield from`."""
    stack = LocalStack(folder)
    try:
        stack.start()
    except FreshetError as error:
        require(error)
    yield stack
    stack.stop()


def scene_on(stack: LocalStack, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A namespace of its own on a stack; every worker started in it ends with the test."""
    with fresh_scene(stack.broker, stack.redis_url, folder, patch) as scene:
        yield scene


@contextmanager
def fresh_scene(broker: str, redis_url: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A namespace of its own; every worker started in it ends with the block."""
    for name in [name for name in os.environ if name.startswith("FRESHET_")]:
        patch.delenv(name)
    patch.chdir(folder)  # no freshet.toml there
    scene = Scene(broker, redis_url, f"t{uuid.uuid4().hex[:12]}", folder)
    try:
        yield scene
    finally:
        scene.close()


def left_behind(stack: LocalStack, kind: str) -> list[str]:
    """Topics and keys of namespaces that begin with `kind-`."""

    async def topics() -> list[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=stack.broker)
        await admin.start()
        try:
            return [name for name in await admin.list_topics() if name.startswith(f"{kind}-")]
        finally:
            await admin.close()

    with redis.Redis.from_url(stack.redis_url, protocol=2) as client:
        return asyncio.run(topics()) + [key.decode() for key in client.scan_iter(f"{kind}-*")]
