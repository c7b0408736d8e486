"""How `freshet similar` and `freshet trending` print what they found."""

from collections.abc import Mapping, Sequence

from app.commands.output import note, print_json, print_table


def print_ranked(
    found: Sequence[tuple[str, float]], titles: Mapping[str, str], *, as_json: bool, score: str, digits: str, none: str
) -> None:
    """Items and their scores in their order, with titles.

    Parameters
    ----------
    score, digits
        What the scores are, and their format.
    none
        Told to people instead of an empty table.
    """
    if as_json:
        print_json([{"id": item_id, "score": value, "title": titles.get(item_id)} for item_id, value in found])
    elif found:
        rows = [
            (rank, item_id, titles.get(item_id, ""), format(value, digits))
            for rank, (item_id, value) in enumerate(found, 1)
        ]
        print_table(("rank", "item", "title", score), rows, right=("rank", score))
    else:
        note(none)
