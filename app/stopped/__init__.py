"""Partitions that stand at a batch that cannot be decoded: which ones, and how they get past it."""
