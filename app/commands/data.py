"""`freshet data`."""

import sys

import click

from app.commands.flags import json_flag
from app.commands.output import print_json, print_table, say


@click.command()
@click.argument("name", required=False)
@click.option("--list", "show_all", is_flag=True, help="List the names known, and where each one is.")
@json_flag
def data(name: str | None, show_all: bool, as_json: bool) -> None:
    """Print where the data set NAME is; fetch it first if it is one that can be (ml-100k, 22 MB, once).

    \b
    Examples:
      freshet data --list
      freshet replay --inline "$(freshet data ml-100k)"
    """
    from app.replay import DATASETS, default_data_folder, fetch_dataset

    if show_all:
        folder = default_data_folder()
        places = {each: [p for p in (folder / each, folder / f"{each}.zip") if p.exists()] for each in DATASETS}
        if as_json:
            print_json([{"name": each, "place": str(found[0]) if found else None} for each, found in places.items()])
            return
        print_table(
            ("name", "place"), [(each, found[0] if found else "not here yet") for each, found in places.items()]
        )
        return
    if name is None:
        raise click.UsageError("Which data set? `freshet data --list` lists the names known.")
    place = str(fetch_dataset(name, show_progress=sys.stderr.isatty()))
    if as_json:
        print_json({"name": name, "place": place})
    else:
        say(place)
