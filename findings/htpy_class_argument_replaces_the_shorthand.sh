#!/bin/sh
# htpy 26.5.1, with markupsafe 3.0.4 (seen with Python 3.11).
#
# htpy takes classes in two ways: as the first argument, div(".card.wide"), and by name, div(class_="open").
#
# One would guess: both together give all three classes, as an id from the shorthand stays beside other attributes.
# Seen: the named one replaces those of the shorthand without a word, card and wide are gone; the id stays. Whoever adds
# a class to an element by a condition has to write all of them in one place.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet htpy==26.5.1 markupsafe==3.0.4
seen=$("$folder/venv/bin/python" -c 'import htpy; print(htpy.div("#one.card.wide", class_="open"))')
echo "$seen"
test "$seen" = '<div id="one" class="open"></div>'
