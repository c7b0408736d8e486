"""Where the items of a list come from: one file per source.

- `source`: what a source is, and what it is asked
- `learned`: co-occurrence and history factors, by one compiled call
- `popular`: what most events are of
- `rated`: what the rating model expects to be rated highest; off unless settings weigh it
"""
