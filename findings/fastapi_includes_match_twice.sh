#!/bin/sh
# fastapi 0.165.0 with starlette 1.10.0 (seen with Python 3.11).
#
# Routes can be declared on the application, or on an APIRouter that is then included, which the documentation
# recommends for applications of several files.
#
# One would guess: including copies the routes into the application's list, so that a request costs the same either way.
# Seen: a route that was declared on the application is matched once against the path of a request, an included one
# twice: once to find it behind its router, and once more by itself. It shows in services that answer in 100 us.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet fastapi==0.165.0 starlette==1.10.0 httpx2
cat > "$folder/seen.py" <<'PY'
import warnings

warnings.simplefilter("ignore")
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

matched = 0
real = APIRoute.matches


def counting(self, scope):
    global matched
    matched += 1
    return real(self, scope)


APIRoute.matches = counting


def answered(place, application):
    global matched

    @place.get("/one")
    def one():
        return {}

    if place is not application:
        application.include_router(place)
    with TestClient(application) as client:
        matched = 0
        assert client.get("/one").status_code == 200
    return matched


application = FastAPI()
print("declared:", answered(application, application), "included:", answered(APIRouter(), FastAPI()))
PY
seen=$("$folder/venv/bin/python" "$folder/seen.py")
echo "$seen"
test "$seen" = "declared: 1 included: 2"
