"""River's `BiasedMF` as reference for the compiled factorization: the same ratings give the same rows.

Left alone, BiasedMF draws start vectors from one generator in order of first
sight, makes them when asked for unknown ids, never forgets, and can be stored by pickle only; here starts come from the
ids, its four mappings are plain dicts, which reading cannot grow, the ids learned longest ago make room, and there is a
byte codec.
"""

import struct

import numpy as np

from models.errors import SettingsError, StateError, UnknownVersion
from models.factorization import ITEMS, USERS, FactorizationSettings, Row, decode_row, encode_row, start_row
from models.factorization_river import biased_mf
from models.ids import hash64

VERSION = 1
_HEADER = struct.Struct("<B16sII")
_LENGTH = struct.Struct("<H")

Side = tuple[dict[str, float], dict[str, Row]]
"""Biases and factors of the users, or of the items; the one learned longest ago comes first."""


class RiverFactorization:
    """BiasedMF by ids, with the verbs and the settings of the compiled one, `max_weight` excepted.

    Parameters
    ----------
    settings
        What shapes the rows.
    max_users, max_items
        How many of each are kept: one more replaces the one learned longest ago.
    """

    def __init__(
        self, settings: FactorizationSettings | None = None, max_users: int = 100_000, max_items: int = 100_000
    ) -> None:
        if max_users < 1 or max_items < 1:
            raise SettingsError(f"max_users, max_items have values {max_users}, {max_items}. Use 1 or more of each.")
        self.settings = settings = settings or FactorizationSettings()
        self.max_users, self.max_items = max_users, max_items
        self.model = biased_mf(settings)
        self.users: Side = ({}, {})
        self.items: Side = ({}, {})
        self.model.u_biases, self.model.u_latents = self.users
        self.model.i_biases, self.model.i_latents = self.items

    def predict_one(self, user_id: str, item_id: str) -> float:
        """The rating to expect, on the scale; of an unknown user or item, what the other one says."""
        if user_id in self.users[0] and item_id in self.items[0]:
            prediction = float(self.model.predict_one(user_id, item_id))
        else:
            known = self.users[0].get(user_id, 0.0) + self.items[0].get(item_id, 0.0)
            prediction = self.model.global_mean.get() + known
        return min(max(prediction, self.settings.lowest), self.settings.highest)

    def learn_one(self, user_id: str, item_id: str, rating: float) -> None:
        """Learn one rating."""
        self.start(user_id, item_id)
        self.model.learn_one(user_id, item_id, min(max(rating, self.settings.lowest), self.settings.highest))

    def start(self, user_id: str, item_id: str) -> None:
        """Give both a row if they have none, and keep them longest of all."""
        self._touch(self.users, user_id, USERS, self.max_users)
        self._touch(self.items, item_id, ITEMS, self.max_items)

    def user_row(self, user_id: str) -> Row:
        """Bias and factors of a user that is known."""
        return _row(self.users, user_id)

    def item_row(self, item_id: str) -> Row:
        """Bias and factors of an item that is known."""
        return _row(self.items, item_id)

    def encode(self) -> bytes:
        """u8 version, mean, u32 n_users, u32 n_items; u16 length, UTF-8 id and row of each, oldest first."""
        mean = np.array([self.model.global_mean.n, self.model.global_mean.get()])
        parts = [_HEADER.pack(VERSION, encode_row(mean), len(self.users[0]), len(self.items[0]))]
        for side in (self.users, self.items):
            for name in side[0]:
                raw = name.encode()
                parts += (_LENGTH.pack(len(raw)), raw, encode_row(_row(side, name)))
        return b"".join(parts)

    def load(self, data: bytes) -> None:
        """Take what `encode` wrote; the model must be empty.

        Raises
        ------
        UnknownVersion
            If the bytes are of another version.
        StateError
            If they are damaged.
        """
        if data[:1] != bytes((VERSION,)):
            raise UnknownVersion(
                f"a River model was written in version {data[:1].hex()!r}, known is {VERSION}: redo it."
            )
        try:
            _, mean, n_users, n_items = _HEADER.unpack_from(data)
            self.model.global_mean.n, self.model.global_mean._mean = decode_row(mean, 1).tolist()
            at, row_bytes = _HEADER.size, 8 * (1 + self.settings.n_factors)
            for side, n in ((self.users, n_users), (self.items, n_items)):
                for _ in range(n):
                    (length,) = _LENGTH.unpack_from(data, at)
                    at += _LENGTH.size + length
                    row = decode_row(data[at : at + row_bytes], self.settings.n_factors)
                    name = data[at - length : at].decode()
                    side[0][name], side[1][name] = float(row[0]), row[1:].copy()
                    at += row_bytes
        except (struct.error, UnicodeDecodeError) as error:
            raise StateError(f"a stored River model is damaged: {error}. Make it again from the log.") from error

    def _touch(self, side: Side, name: str, kind: int, max_names: int) -> None:
        biases, factors = side
        if name in biases:
            biases[name] = biases.pop(name)
            return
        if len(biases) == max_names:
            oldest = next(iter(biases))
            del biases[oldest], factors[oldest]
        biases[name] = 0.0
        factors[name] = start_row(self.settings, kind, hash64(name))[1:]


def _row(side: Side, name: str) -> Row:
    return np.concatenate(([side[0][name]], side[1][name]))
