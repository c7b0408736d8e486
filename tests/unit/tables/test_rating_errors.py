"""Progressive errors of rating predictions inside the fold: predicted, then learned."""

import numpy as np
import orjson
import pytest

from models.errors import InvalidEvent
from tables.fold_settings import FoldSettings
from tables.partition import PartitionState
from tests.logs import made_log, record
from tests.ratings import ById
from tests.saved import Topics


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_ratings_are_predicted_then_learned(fraction: float) -> None:
    """MAE and RMSE are those of the factorization asked before each rating; repeated event ids count once."""
    records = made_log(8, 1_000)
    state, model = PartitionState(0, 1, FoldSettings(evaluate_fraction=fraction)), ById()
    errors = []
    for each in records:
        user_id = state.fold(*each)
        fields = orjson.loads(each.value or b"") if isinstance(user_id, str) else {}
        if fields.get("event_type") == "rating":
            errors.append(model.predict_one(fields["user_id"], fields["item_id"]) - fields["value"])
            model.learn_one(fields["user_id"], fields["item_id"], fields["value"])
    ratings = state.evaluator.ratings

    assert ratings.n == len(errors) > 60
    assert ratings.absolute == pytest.approx(sum(map(abs, errors)), rel=1e-12)
    assert ratings.squared == pytest.approx(sum(each * each for each in errors), rel=1e-12)
    assert state.items.ratings.mean.tolist() == model.mean.tolist()
    for user_id, row in model.users.items():
        user = state.users.get(user_id)
        assert user is not None and user.factors is not None and user.factors.tolist() == row.tolist()


@pytest.mark.parametrize("value", [1e200, -1.7e308, 6, -3])
def test_a_rating_off_the_scale_spoils_nothing(value: float) -> None:
    """It is a dead letter: the sums stay numbers, and the partition can be saved, loaded and go on."""
    topics, state = Topics(), PartitionState(0, 1, FoldSettings())
    refused = state.fold(*record(0, "u1", "a", "rating", value=value))
    assert isinstance(refused, InvalidEvent) and refused.reason == "out_of_range"
    topics.save(state.cut(-1))
    state = Topics.load(PartitionState(0, 1, FoldSettings()), topics.history)
    state.fold(*record(1, "u1", "b", "rating", value=4))

    assert state.evaluator.ratings.n == 1
    assert np.isfinite([state.evaluator.ratings.absolute, state.evaluator.ratings.squared]).all()
