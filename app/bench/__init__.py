"""Benchmarks that check themselves: what Freshet claims, measured on real Kafka and Redis."""
