"""River's `BiasedMF` on the arrays of the fold: it predicts and learns ratings in the place of the compiled steps.

The rows, the mean and the errors are bit for bit those of `models.fold_kernel.learn_rating`, so one may go on with what
the other has made. Left alone, BiasedMF draws start vectors from one generator in order of first sight, makes them when
asked for unknown ids, knows no bound of its numbers and sums the product of factors as BLAS likes it on this machine;
here starts come from the ids, rows are lent to it for one rating, and the product is summed from first to last.
"""

from collections.abc import Hashable
from typing import Any

import numpy as np
from river.optim import SGD
from river.reco import BiasedMF

from models.factorization import ITEMS, USERS, FactorizationSettings, start_row
from models.fold_arrays import ItemArrays, UserArrays


class InOrder(BiasedMF):
    """BiasedMF, but the product of the factors is summed in their order."""

    def predict_one(self, user: Hashable, item: Hashable, x: object = None) -> Any:
        """Mean + both biases + product of the factors, not clipped."""
        biases = self.global_mean.get() + self.u_biases[user] + self.i_biases[item]
        return float(biases + np.add.accumulate(self.u_latents[user] * self.i_latents[item])[-1])


class RiverRatings:
    """Learns ratings one by one, in place.

    Parameters
    ----------
    settings
        What shapes the rows.
    """

    def __init__(self, settings: FactorizationSettings) -> None:
        self.settings = settings
        self.model = biased_mf(settings, InOrder)

    def learn_one(self, items: ItemArrays, users: UserArrays, user: int, slot: int, rating: float) -> float:
        """Predict a rating on the scale, learn it; returns by how much the prediction was too high."""
        model, mean = self.model, items.rating_mean
        user_row, item_row = users.factors[user], items.rating_rows[slot]
        knows_both = bool(users.has_factors[user] and items.has_rating[slot])
        predicted = float(mean[1])
        if not users.has_factors[user]:
            predicted += float(item_row[0]) if items.has_rating[slot] else 0.0
            user_row[:] = start_row(self.settings, USERS, int(users.hashes[user]))
            users.has_factors[user] = True
        elif not items.has_rating[slot]:
            predicted += float(user_row[0])
        if not items.has_rating[slot]:
            item_row[:] = start_row(self.settings, ITEMS, int(items.hashes[slot]))
            items.has_rating[slot] = True
        model.global_mean.n, model.global_mean._mean = mean.tolist()
        model.u_biases, model.u_latents = {user: float(user_row[0])}, {user: user_row[1:]}
        model.i_biases, model.i_latents = {slot: float(item_row[0])}, {slot: item_row[1:]}
        if knows_both:
            predicted = model.predict_one(user, slot)
        model.learn_one(user, slot, rating)
        mean[:] = model.global_mean.n, model.global_mean.get()
        user_row[0], item_row[0] = model.u_biases[user], model.i_biases[slot]
        bound = self.settings.max_weight
        for row in (user_row, item_row):
            np.clip(row, -bound, bound, out=row)
        return min(max(predicted, self.settings.lowest), self.settings.highest) - rating


def biased_mf(settings: FactorizationSettings, kind: type[BiasedMF] = BiasedMF) -> Any:  # its verbs carry no types
    """River's model by our settings."""
    return kind(
        n_factors=settings.n_factors,
        bias_optimizer=SGD(settings.lr_bias),
        latent_optimizer=SGD(settings.lr_factors),
        clip_gradient=settings.max_gradient,
    )
