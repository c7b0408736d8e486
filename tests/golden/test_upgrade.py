"""State recorded by 31c1283: today's code refuses it with the command to run, before anything is changed."""

import pytest

from models.errors import UnknownVersion
from tables.codec import check_version
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.golden.recorded import loaded


def test_recorded_state_is_refused_with_the_command() -> None:
    """Users and items had no words and no people then: the log has to be folded anew, and the message says how."""
    with pytest.raises(UnknownVersion, match=r"written in version \d, this Freshet knows version \d.*`freshet reset`"):
        loaded()


def test_the_recording_commit_refuses_what_today_saves() -> None:
    """Its check of the version, which is still in use elsewhere, ends that worker before it has changed anything."""
    marker = PartitionState(0, 1, FoldSettings()).marker(-1).encode()

    with pytest.raises(UnknownVersion, match=r"written in version 2, this Freshet knows version 1\. Run the Freshet"):
        check_version(marker, 1, "the marker of a checkpoint")
