"""Dead letters, as an operator reads and re-drives them."""

from app.dead_letters.read import DeadLetter, Once, read_dead_letters
from app.dead_letters.redriving import Tally, plan_redrive, redrive

__all__ = ["DeadLetter", "Once", "Tally", "plan_redrive", "read_dead_letters", "redrive"]
