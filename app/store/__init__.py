"""The view in Redis, as its writer sees it: lists behind a fence, sorted sets, hashes, and the empty server noticed."""

from app.store.store import FEATURES_TTL_S, PublishResult, Store

__all__ = ["FEATURES_TTL_S", "PublishResult", "Store"]
