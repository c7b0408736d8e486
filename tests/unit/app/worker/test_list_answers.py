"""What becomes of lists that Redis refuses, and of those that are made anew."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from app.store import PublishResult
from tables.list_json import decode_list
from tests.logs import record
from tests.saved import fold_all
from tests.unit.app.worker.test_publishers import Stage


def refuse_all(stage: Stage) -> None:
    """Let Redis hold newer lists than any that come."""

    async def refuse(entries: Sequence[tuple[str, bytes]], ttl_s: int) -> PublishResult:
        return PublishResult(0, len(entries))

    stage.store.publish_lists = refuse  # type: ignore[method-assign]


@pytest.mark.parametrize(("lag", "is_told"), [(0, True), (5, False)])
def test_refused_lists_are_told_at_the_end_of_the_log(
    lag: int, is_told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """There can be no newer ones then but those of another log; before that they are what a crash leaves behind."""
    stage = Stage()
    stage.partition.end_offset = stage.state.next_offset + lag
    refuse_all(stage)

    with caplog.at_level(logging.WARNING, "freshet"):
        asyncio.run(stage.lists._round())
        stage.partition.unpublished = {"u1": 0}
        asyncio.run(stage.lists._round())

    assert stage.lists.n_refused == 8
    told = [line for line in caplog.messages if "refused" in line]
    assert len(told) == is_told  # once a minute
    assert all("freshet reset" in line for line in told)


def test_lists_made_anew_while_their_partition_is_away() -> None:
    """Given back while they are made, and back with its memory: those left out have their turn again."""
    stage = Stage(n=0)
    fold_all(stage.state, [record(at, f"v{at}", f"i{at % 6}") for at in range(200)])
    stage.partition.end_offset = 10**6  # a backlog: 200 lists at once, made in parts
    stage.partition.rebuild_all()
    stage.save()

    async def away_for_a_moment() -> None:
        rebuilding = asyncio.create_task(stage.lists._rebuild())
        await asyncio.sleep(0)
        stage.view.own({})
        await rebuilding
        stage.view.own({0: stage.partition})

    asyncio.run(away_for_a_moment())
    n_there = len(stage.store.lists)
    assert 0 < n_there < 200 and stage.partition.published_offset == -1
    stage.lists._rebuild_due = 0.0
    asyncio.run(stage.lists._rebuild())

    assert len(stage.store.lists) == 200
    assert not stage.partition.rebuild


def test_lists_of_another_model_are_made_anew(caplog: pytest.LogCaptureFixture) -> None:
    """Saved with lists of other settings: all are made anew under the next revision, once it is saved; once only."""
    stage = Stage()
    asyncio.run(stage.lists._round())
    before = {key: decode_list(payload) for key, payload in stage.store.lists.items()}
    stage.state.beside = {"model": "blend-0ther"}

    with caplog.at_level(logging.INFO, "freshet"):
        stage.lists.own([stage.partition])
    asyncio.run(stage.lists._rebuild())
    assert {key: decode_list(payload) for key, payload in stage.store.lists.items()} == before
    stage.save()
    stage.lists.own([stage.partition])
    asyncio.run(stage.lists._rebuild())

    assert "7 lists are made anew: they were made by blend-0ther" in caplog.text
    after = {key: decode_list(payload) for key, payload in stage.store.lists.items()}
    assert {found.revision for found in after.values()} == {1}
    assert all(after[key].offset == old.offset and after[key].version > old.version for key, old in before.items())
    assert not {found.list_id for found in after.values()} & {found.list_id for found in before.values()}
    assert not stage.partition.rebuild and stage.state.revision == 1


@pytest.mark.parametrize("beside", [{}, {"blend": {}}])
def test_lists_of_which_nobody_said_who_made_them_stay(beside: dict[str, object]) -> None:
    """An upgrade makes no list anew; from the next checkpoint on it is known what makes them."""
    stage = Stage()
    stage.state.beside = beside

    stage.lists.own([stage.partition])

    assert not stage.partition.rebuild and stage.state.revision == 0
    assert stage.state.beside["model"] == stage.lists._model


def test_lists_refused_while_others_are_made_anew_are_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """One on its way when its partition's lists were made anew may be the older of the two."""
    stage = Stage()
    refuse_all(stage)
    stage.partition.rebuild.extend(stage.state.users)

    with caplog.at_level(logging.WARNING, "freshet"):
        asyncio.run(stage.lists._round())

    assert stage.lists.n_refused == 7 and "refused" not in caplog.text
