"""placeholder"""
from dataclasses import dataclass
@dataclass(frozen=True, slots=True)
class FusionSettings:
    w: float = 1.0
def fuse(lists, settings, keys, depth): return lists[0][:depth], None
