"""The reader's side: one round trip to Redis for each question, by rules that any language can follow."""

from app.client.reader import AsyncReader, Reader

__all__ = ["AsyncReader", "Reader"]
