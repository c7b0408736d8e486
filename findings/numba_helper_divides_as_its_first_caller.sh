#!/bin/sh
# numba 0.68.1 (the wheel on PyPI, seen with Python 3.11), with llvmlite 0.50.0 and numpy 2.4.6.
#
# A function compiled with a plain @njit divides by zero as Python does: ZeroDivisionError. A caller compiled with
# error_model="numpy" gets inf from its own divisions.
#
# One would guess: what a function does depends on its own decorator, so the plain helper raises whoever calls it.
# Seen: the helper has the error model of whoever makes it compile first, for those argument types and for good. Called
# first by the numpy caller, it gives inf afterwards even when Python calls it itself; called first by Python, it raises
# afterwards even inside the numpy caller. The same two calls in another order give other answers. So a helper that
# divides should name its error_model, whoever calls it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-deps numba==0.68.1 llvmlite==0.50.0 numpy==2.4.6
cat > "$folder/seen.py" <<'PY'
import sys

from numba import njit


@njit
def ratio(a, b):
    return a / b


@njit(error_model="numpy")
def caller(a, b):
    return ratio(a, b)


def answer(function):
    try:
        return str(function(1.0, 0.0))
    except ZeroDivisionError:
        return "ZeroDivisionError"


order = [caller, ratio] if sys.argv[1] == "caller-first" else [ratio, caller]
print(*(answer(function) for function in order))
PY
caller_first=$("$folder/venv/bin/python" "$folder/seen.py" caller-first)
helper_first=$("$folder/venv/bin/python" "$folder/seen.py" helper-first)
echo "caller, then helper: $caller_first"
echo "helper, then caller: $helper_first"
test "$caller_first" = "inf inf"
test "$helper_first" = "ZeroDivisionError ZeroDivisionError"
