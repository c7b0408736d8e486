"""Thin coroutines: for each batch of events, what is called and in which order."""
