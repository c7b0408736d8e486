"""How good the lists are that people really get: a recorded log, folded and scored as it would be served."""
