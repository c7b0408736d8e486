"""The demo: one log through the whole pipeline, and what comes out."""
