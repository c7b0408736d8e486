"""placeholder"""
from dataclasses import dataclass
import numpy as np
@dataclass(frozen=True, slots=True)
class HistorySettings:
    k: int = 64
class HistoryFactors:
    def __init__(self, settings=None): pass
    def grow(self, n): pass
    def clear(self, slot): pass
    def encode_row(self, slot): return b""
    def set_row(self, slot, data): pass
    def learn_one(self, *a): return np.zeros(0, np.int32)
    def scores(self, h, w, out): out[:] = np.nan
