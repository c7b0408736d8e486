"""What an owned partition remembers: lists and dead letters that are on their way out."""

import asyncio

import pytest

from app.broker import Broker
from app.worker.checkpoints import CheckpointWriter
from app.worker.owned import CLOSE_BEHIND, FAR_BEHIND, REMADE_EVERY_S, OwnedPartition
from tables.fold_settings import FoldSettings
from tables.names import Names
from tables.partition import PartitionState
from tests.logs import DAY_MS, START_MS, record
from tests.saved import Topics, fold_all

MANY = 1000


@pytest.fixture
def owned() -> OwnedPartition:
    """A partition with events of users u0 to u4 at offsets 0 to 4."""
    state = PartitionState(0, 1, FoldSettings())
    fold_all(state, [record(number, f"u{number}", "i") for number in range(5)])
    return OwnedPartition(state, CheckpointWriter(0, Names(), Broker("nowhere"), {}))


def test_everything_published_up_to_the_fold(owned: OwnedPartition) -> None:
    """With nothing on its way out the lists are as new as the state."""
    assert owned.published_offset == 4


def test_oldest_missing_list_holds_the_offset_back(owned: OwnedPartition) -> None:
    """Published is what lies below the first event whose list is missing."""
    owned.touched(["u3", "u2", "u4"], MANY)

    assert owned.published_offset == 1

    owned.published("u2", 2)
    assert owned.published_offset == 2


def test_first_missing_event_counts_not_the_last(owned: OwnedPartition) -> None:
    """A user touched again before the first list is out still holds back its first event."""
    owned.touched(["u1"], MANY)
    fold_all(owned.state, [record(5, "u1", "j")])
    owned.touched(["u1"], MANY)

    assert owned.published_offset == 0


def test_list_older_than_the_last_event_leaves_the_rest_missing(owned: OwnedPartition) -> None:
    """A list written for an earlier event: what came after it is still to be published."""
    owned.touched(["u1"], MANY)
    fold_all(owned.state, [record(5, "u1", "j")])
    owned.touched(["u1"], MANY)

    owned.published("u1", 1)

    assert owned.unpublished == {"u1": 2}
    owned.published("u1", 5)
    assert owned.unpublished == {}
    assert owned.published_offset == 5


def test_too_many_missing_lists_become_a_rebuild(owned: OwnedPartition) -> None:
    """More missing lists than allowed: all users are queued, and published is nothing."""
    owned.touched([f"u{number}" for number in range(5)], 4)

    assert list(owned.rebuild) == [f"u{number}" for number in range(5)]
    assert owned.unpublished == {}
    assert owned.published_offset == -1
    assert owned.needs_checkpoint


def test_lists_made_anew_wait_for_their_revision_to_be_saved(owned: OwnedPartition) -> None:
    """Lists go on with the last revision that is saved; a cut begun before the next one was due does not hold it."""
    before = owned.state.cut(owned.published_offset)
    owned.rebuild_lists()
    owned.saved(before, rebuilding=False)

    assert (owned.revision, owned.state.revision) == (0, 1)
    assert owned.awaits_revision and owned.needs_checkpoint
    assert (len(owned.rebuild), owned.can_rebuild) == (5, False)

    cut = owned.state.cut(owned.published_offset)
    owned.saved(cut, rebuilding=owned.is_rebuilding)

    assert (cut.marker.revision, cut.marker.published_offset, owned.revision) == (1, -1, 1)
    assert (owned.awaits_revision, owned.needs_checkpoint, owned.can_rebuild) == (False, False, True)


def test_each_time_that_lists_are_made_anew_has_its_revision(owned: OwnedPartition) -> None:
    """Again while the first are on their way, and by whoever takes over: always the next one."""
    owned.rebuild_all()
    owned.saved(owned.state.cut(-1), rebuilding=True)
    owned.rebuild_lists()
    assert owned.needs_checkpoint
    topics = Topics()
    topics.save(owned.state.cut(-1))

    successor = Topics.load(PartitionState(0, 1, FoldSettings()), topics.history)

    assert OwnedPartition(successor, owned.writer).revision == successor.revision == 2


def test_lists_made_while_the_learner_was_far_behind_are_made_anew_once(owned: OwnedPartition) -> None:
    """When it has caught up, and not while lists are made anew as it is; one that keeps up asks for nothing."""
    owned.handed_to = FAR_BEHIND + 1
    owned.follow_learner(FAR_BEHIND)
    owned.follow_learner(1)
    owned.follow_learner(FAR_BEHIND)
    assert not owned.rebuild
    owned.follow_learner(0)
    owned.follow_learner(FAR_BEHIND - CLOSE_BEHIND)
    assert not owned.rebuild
    owned.follow_learner(FAR_BEHIND)
    assert set(owned.rebuild) == {f"u{number}" for number in range(5)}

    revision = owned.state.revision
    owned.follow_learner(0)
    assert not owned.lacks_factors, "not twice within ten minutes"
    owned.remade_at -= REMADE_EVERY_S
    owned.follow_learner(0)
    owned.follow_learner(FAR_BEHIND)
    assert owned.state.revision == revision
    owned.rebuild.clear()
    owned.follow_learner(FAR_BEHIND)
    assert owned.state.revision == revision + 1
    owned.rebuild.clear()
    owned.follow_learner(FAR_BEHIND)
    assert not owned.rebuild


def test_lists_of_nobody_have_no_revision() -> None:
    """Without users there is nothing to make anew, and nothing to save."""
    owned = OwnedPartition(PartitionState(0, 1, FoldSettings()), CheckpointWriter(0, Names(), Broker("nowhere"), {}))

    owned.rebuild_lists()

    assert not owned.needs_checkpoint and owned.state.revision == 0


def test_lists_that_lack_events_are_the_first_made_anew(owned: OwnedPartition) -> None:
    """They are made once, under the revision; who has an event from then on does not wait behind the queue."""
    owned.touched(["u3"], MANY)

    owned.rebuild_lists()

    assert (owned.unpublished, owned.rebuild[0], len(owned.rebuild)) == ({}, "u3", 5)
    assert not owned.stale_features.keys() - {"u3"}
    owned.touched(["u1"], MANY)
    assert (dict(owned.due), owned.unpublished) == ({}, {"u1": 1}), "not before a checkpoint holds the revision"
    owned.saved(owned.state.cut(-1), rebuilding=True)
    assert owned.due == {"u1": 1}


def test_lists_that_are_out_are_said_to_be_so_by_a_checkpoint_of_their_own(owned: OwnedPartition) -> None:
    """Whoever takes over after a clean stop does not send them again; once it is said, nothing is left to say."""

    def needed() -> bool:
        return owned.needs_checkpoint

    owned.saved(owned.state.cut(2), rebuilding=False)
    owned.touched(["u3"], MANY)
    assert not needed()

    owned.published("u3", 3)

    assert needed()
    owned.saved(owned.state.cut(owned.published_offset), rebuilding=False)
    assert not needed()


def test_user_gone_within_the_slice_is_left_out(owned: OwnedPartition) -> None:
    """A user that a later event of the same slice made go has no list to publish."""
    fold_all(owned.state, [record(5, "old", "i", at_ms=START_MS - 3_000 * DAY_MS)])
    assert "old" in owned.state.users
    users = [f"u{number}" for number in range(5)]
    fold_all(owned.state, [record(6 + n, user, "i", at_ms=START_MS + DAY_MS) for n, user in enumerate(users)])
    assert "old" not in owned.state.users

    owned.touched(["old", *users], MANY)

    assert set(owned.unpublished) == set(users)


def test_dead_letters_below_waits_for_those_below_only(owned: OwnedPartition) -> None:
    """Only the acknowledgements of dead letters below the offset are waited for."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        owned.dead_letter_sent(3, first)
        owned.dead_letter_sent(8, second)
        waiting = asyncio.create_task(owned.dead_letters_below(8))
        await asyncio.sleep(0)
        assert not waiting.done()
        first.set_result(None)
        await asyncio.wait_for(waiting, 1)
        assert owned.n_dead_letters_on_their_way == 1

    asyncio.run(scenario())


def test_two_who_wait_for_one_dead_letter_pass_no_other(owned: OwnedPartition) -> None:
    """A checkpoint and the fold wait together: neither gets past a letter that is not acknowledged."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        first, second = loop.create_future(), loop.create_future()
        owned.dead_letter_sent(1, first)
        owned.dead_letter_sent(2, second)
        waiting = [asyncio.create_task(owned.dead_letters_below(9)) for _ in range(2)]
        await asyncio.sleep(0)
        first.set_result(None)
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in waiting)
        assert owned.n_dead_letters_on_their_way == 1
        second.set_result(None)
        await asyncio.wait_for(asyncio.gather(*waiting), 1)

    asyncio.run(scenario())


def test_failed_dead_letter_fails_every_later_checkpoint(owned: OwnedPartition) -> None:
    """What could not be sent is not forgotten: each who waits for it gets its error."""

    async def scenario() -> None:
        ack: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        owned.dead_letter_sent(1, ack)
        ack.set_exception(OSError("refused"))
        for _ in range(2):
            with pytest.raises(OSError, match="refused"):
                await owned.dead_letters_below(9)

    asyncio.run(scenario())


def test_given_up_wait_leaves_the_dead_letter_alone(owned: OwnedPartition) -> None:
    """Cancelling who waits, at a revocation, does not cancel the sending."""

    async def scenario() -> None:
        ack: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        owned.dead_letter_sent(1, ack)
        waiting = asyncio.create_task(owned.dead_letters_below(9))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not ack.cancelled()
        assert owned.n_dead_letters_on_their_way == 1

    asyncio.run(scenario())
