#!/bin/sh
# Which interpreters there are, on the PATH or in pyenv. Used by the Makefile.
#   python.sh                 the first one that Freshet runs on, or what to do
#   python.sh 3.12            that one, if it is there
#   python.sh --others FILE   the versions of all that Freshet runs on and that FILE is not, e.g. "3.12 3.13"
# 3.14 comes last: the wheel with the local Redis has none for it.
runs() {
    "$1" -c "import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))" 2>/dev/null
}
version() {
    for file in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1".*/bin/python; do
        if runs "$file"; then
            command -v "$file"
            return
        fi
    done
    false
}
case "${1:-}" in
"")
    for name in python3 python; do
        if runs $name && $name -c "import sys; sys.exit(sys.version_info[:2] == (3, 14))"; then
            command -v $name
            exit 0
        fi
    done
    for minor in 13 12 11 14; do
        version 3.$minor && exit 0
    done
    echo "Freshet runs on Python 3.11 to 3.14 with its module venv, and none is on the PATH. Install one" \
        "(Debian: apt-get install python3 python3-venv), or name one: make setup PYTHON=/path/to/python3" >&2
    exit 1
    ;;
--others)
    own=$("$2" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    for minor in 11 12 13 14; do
        [ 3.$minor = "$own" ] || ! version 3.$minor >/dev/null || echo 3.$minor
    done
    ;;
*)
    version "$1"
    ;;
esac
