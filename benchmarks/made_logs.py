"""Logs of three kinds of shops where people come back to the same items, made from a seed.

    python -m benchmarks.made_logs groceries > /tmp/groceries.jsonl
    freshet evaluate /tmp/groceries.jsonl

- `groceries`: households with staples of their own buy a basket a week, half of it what they always buy.
- `shop`: visitors look at items of one or two tastes in sessions, put some into the cart, buy few.
- `plays`: listeners play their favourite artists' tracks in a row, the same ones again and again.
"""

import argparse
import random
import sys
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate

import orjson

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
WEEK_MS = 168 * HOUR_MS

Event = dict[str, str | int]


class Popularity:
    """Draws of a number below `n`, the first ones more often: a Zipf law of this exponent."""

    def __init__(self, rng: random.Random, n: int, exponent: float) -> None:
        self._rng = rng
        self._heights = list(accumulate((rank + 1) ** -exponent for rank in range(n)))

    def draw(self) -> int:
        """One number."""
        return bisect(self._heights, self._rng.random() * self._heights[-1])


def groceries(seed: int, n_households: int = 300, n_weeks: int = 26, n_items: int = 2_500) -> Iterator[Event]:
    """A basket a week and household: staples by preference, the rest by how popular it is, some of it in pairs."""
    rng = random.Random(seed)
    shelf = Popularity(rng, n_items, 0.9)
    beside = [rng.randrange(n_items) for _ in range(n_items)]  # what often goes with it
    staples = [list(dict.fromkeys(shelf.draw() for _ in range(40))) for _ in range(n_households)]
    favourite = Popularity(rng, 12, 0.6)
    for week in range(n_weeks):
        for household in range(n_households):
            if rng.random() < 0.2:
                continue
            at_ms = START_MS + week * WEEK_MS + rng.randrange(WEEK_MS)
            basket: list[int] = []
            for _ in range(rng.randint(4, 14)):
                drawn = rng.random()
                if drawn < 0.5:
                    basket.append(staples[household][favourite.draw() % len(staples[household])])
                elif drawn < 0.65 and basket:
                    basket.append(beside[basket[-1]])
                else:
                    basket.append(shelf.draw())
            for place, item in enumerate(dict.fromkeys(basket)):
                yield _event(f"h{household}", f"g{item}", "purchase", at_ms + place)


def shop(seed: int, n_users: int = 4_000, n_sessions: int = 12_000, n_items: int = 3_000) -> Iterator[Event]:
    """Sessions of a few views within a taste, neighbours on the shelf first; a cart now and then, few purchases."""
    rng = random.Random(seed)
    n_tastes, per_taste = n_items // 50, 50
    within, user_of = Popularity(rng, per_taste, 0.8), Popularity(rng, n_users, 0.6)
    tastes = [[rng.randrange(n_tastes) for _ in range(2)] for _ in range(n_users)]
    at_ms = START_MS
    for _ in range(n_sessions):
        at_ms += rng.randrange(10 * 60_000)
        user = user_of.draw()
        taste, place = rng.choice(tastes[user]), within.draw()
        for step in range(rng.randint(2, 9)):
            place = (place + rng.choice((1, 1, 2, -1, 0))) % per_taste if rng.random() < 0.6 else within.draw()
            item, now_ms = f"s{taste * per_taste + place}", at_ms + step * 20_000
            yield _event(f"v{user}", item, "view", now_ms)
            if rng.random() < 0.12:
                yield _event(f"v{user}", item, "add_to_cart", now_ms + 5_000)
                if rng.random() < 0.4:
                    yield _event(f"v{user}", item, "purchase", now_ms + 10_000)


def plays(seed: int, n_listeners: int = 400, n_sessions: int = 9_000, n_artists: int = 500) -> Iterator[Event]:
    """Sessions of tracks in a row: mostly of a favourite artist, often the next track of the same record."""
    rng = random.Random(seed)
    artist_of, track_of = Popularity(rng, n_artists, 0.8), Popularity(rng, 10, 0.7)
    favourites = [[artist_of.draw() for _ in range(8)] for _ in range(n_listeners)]
    favourite, listener_of = Popularity(rng, 8, 0.9), Popularity(rng, n_listeners, 0.5)
    at_ms = START_MS
    for _ in range(n_sessions):
        at_ms += rng.randrange(20 * 60_000)
        listener = listener_of.draw()
        artist, track = favourites[listener][favourite.draw()], track_of.draw()
        for step in range(rng.randint(3, 12)):
            if rng.random() < 0.3:
                artist = favourites[listener][favourite.draw()] if rng.random() < 0.8 else artist_of.draw()
            track = (track + 1) % 10 if rng.random() < 0.5 else track_of.draw()
            yield _event(f"l{listener}", f"a{artist}t{track}", "click", at_ms + step * 200_000)


KINDS = {"groceries": groceries, "shop": shop, "plays": plays}


def _event(user: str, item: str, event_type: str, at_ms: int) -> Event:
    return {"user_id": user, "item_id": item, "event_type": event_type, "timestamp": at_ms}


def main() -> None:
    """Write one log, as JSON lines."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for event in KINDS[options.kind](options.seed):
        sys.stdout.buffer.write(orjson.dumps(event) + b"\n")


if __name__ == "__main__":
    main()
