"""Dead letters, as an operator reads them."""

from app.dead_letters.read import DeadLetter, read_dead_letters

__all__ = ["DeadLetter", "read_dead_letters"]
