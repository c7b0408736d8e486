"""Features and similarities take their share of the time, evenly."""

import asyncio
from time import monotonic

import pytest

from tests.unit.app.worker.test_publishers import Stage


@pytest.mark.parametrize(("share", "rests_s"), [(0.01, 99), (1.0, 0)])
def test_share(monkeypatch: pytest.MonkeyPatch, share: float, rests_s: float) -> None:
    """After each slice there is a rest of a multiple of its time; all of them go out in a long round."""
    stage, rests, next_turn = Stage(), [], asyncio.sleep

    async def resting(seconds: float) -> None:
        rests.append(seconds)
        await next_turn(0)

    monkeypatch.setattr("app.worker.features.asyncio.sleep", resting)
    began = monotonic()
    asyncio.run(stage.features.refresh(60.0, share))
    took_s = monotonic() - began

    assert stage.features.n_stale == 0
    assert len(rests) == 3 + 4  # six items and seven users, two at once
    assert all((seconds > 0) is (rests_s > 0) for seconds in rests)
    assert sum(rests) <= rests_s * took_s
