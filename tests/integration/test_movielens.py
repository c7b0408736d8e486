"""How good the lists are on MovieLens 100k: the numbers of the README, measured anew."""

import pytest

from app.replay import OrderedLog, open_log
from app.replay.inline import replay_inline
from app.settings import Settings


@pytest.mark.timeout(300)  # the first run of all fetches the log
def test_quality_on_movielens_100k() -> None:
    """The list beats popularity twice over and is as good as its best source; ratings are predicted as by River.

    River's BiasedMF from the same start vectors: MAE .7486, RMSE .9479.
    """
    log = OrderedLog(open_log(None, dataset="ml-100k", columns={}, event_type=None))
    settings = Settings(evaluate_fraction=1.0).fold

    result = replay_inline(log, settings).as_json()

    assert (result["events"], result["dead_letters"], result["duplicates"]) == (100_000, 0, 0)
    found = result["prequential"]
    sources = {name: rates["hr@10"] for name, rates in found["sources"].items()}
    assert found["n"] == 55_375
    assert found["popularity"]["hr@10"] == pytest.approx(0.098, abs=0.002)
    assert sources["co_occurrence"] >= 0.188
    assert found["hr@10"] >= max(0.195, max(sources.values()) - 0.004)
    assert found["hr@20"] > found["hr@10"] > found["ndcg@10"] > found["mrr@10"] > 0
    assert sum(block["n"] for block in found["series"]) == found["n"]
    assert result["ratings"]["mae"] == pytest.approx(0.7486, abs=0.003)
    assert result["ratings"]["rmse"] == pytest.approx(0.9479, abs=0.003)
