"""The worker: record batches in, checkpoints and lists out."""
