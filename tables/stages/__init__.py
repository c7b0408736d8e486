"""What re-ranks a list after the blend: one file per stage.

- `stage`: what a stage is, and what it keeps
- `behind`: the filler as stages see it
- `per_category`: so many items of one category; off unless settings ask for it
"""
