#!/bin/sh
# Prints the first interpreter on the PATH that Freshet runs on, or says which ones would do. Used by the Makefile.
# 3.14 comes last: the wheel with the local Redis has none for it.
fits() {
    "$1" -c "import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null
}
for newest in 13 14; do
    for name in python3 python3.13 python3.12 python3.11 python3.14 python; do
        if fits "$name" $newest; then
            command -v "$name"
            exit 0
        fi
    done
done
echo "Freshet runs on Python 3.11 to 3.14 with its module venv, and none is on the PATH. Install one" \
    "(Debian: apt-get install python3 python3-venv), or name one: make setup PYTHON=/path/to/python3" >&2
exit 1
