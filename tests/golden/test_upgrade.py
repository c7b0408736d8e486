"""State recorded by 31c1283: today's code reads it, equal to the bit, or refuses it with the command to run."""

import logging
import random

import pytest

from app.worker.compatible import check_marker
from models.errors import ResetRequired, UnknownVersion
from tables.codec import check_version
from tables.digest import digests
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.golden.recorded import N_PARTITIONS, RECORDED, loaded
from tests.logs import made_log
from tests.saved import Topics, everything

MORE = made_log(1108, 120, n_users=10, n_items=30)


def test_recorded_state_is_read_with_equal_digest(caplog: pytest.LogCaptureFixture) -> None:
    """Every digest is what the recording commit said; it is gone on with, and no setting is said to have changed."""
    states = loaded()

    with caplog.at_level(logging.WARNING, "freshet"):
        for state in states:
            check_marker(state, state.next_offset, N_PARTITIONS)

    assert digests(states) == RECORDED["digests"]
    assert min(len(state.users) for state in states) > 0
    assert {state.loaded.settings for state in states if state.loaded} == {None}
    assert "FRESHET_" not in caplog.text


def test_another_partitioner_is_refused_though_its_name_was_not_kept() -> None:
    """Who lives in a partition says how they were placed: the name to set, and the command, are in the message."""
    state = loaded(FoldSettings(partitioner="crc32"))[0]

    with pytest.raises(ResetRequired, match=r"FRESHET_PARTITIONER was murmur2.*is crc32 now.*`freshet reset`"):
        check_marker(state, state.next_offset, N_PARTITIONS)


def test_other_settings_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """Which ones was not kept then; that some have changed is said."""
    state = loaded(FoldSettings(max_seen=17))[0]

    with caplog.at_level(logging.WARNING, "freshet"):
        check_marker(state, state.next_offset, N_PARTITIONS)

    assert RECORDED["fingerprint"] in caplog.text
    assert "which one was not kept then" in caplog.text


def test_the_recording_commit_refuses_what_today_saves() -> None:
    """Its check of the version, which is still in use elsewhere, ends that worker before it has changed anything."""
    marker = PartitionState(0, 1, FoldSettings()).marker(-1).encode()

    with pytest.raises(UnknownVersion, match=r"written in version 2, this Freshet knows version 1\. Run the Freshet"):
        check_version(marker, 1, "the marker of a checkpoint")


@pytest.mark.parametrize("seed", range(3))
def test_migrated_state_survives_compaction(seed: int) -> None:
    """Loaded, gone on with and saved anew in any order of its keys: everything is the same."""
    state = loaded()[0]
    topics = Topics()
    state.fold_many([each._replace(offset=state.next_offset + each.offset) for each in MORE])
    for user_id in state.users:
        state._dirty_users[user_id] = None
    state.items.dirty[list(state.items.slots.values())] = True
    topics.save(state.cut(-1))

    again = Topics.load(PartitionState(0, N_PARTITIONS, FoldSettings()), topics.compacted(random.Random(seed)))

    assert everything(again) == everything(state)
    assert again.loaded is not None
    assert again.loaded.settings == FoldSettings().described()
