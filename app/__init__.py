"""The outer ring: command line, settings, wiring, worker, transport, Redis, local stack, replay."""
