"""Who is let in, and what a page may do."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.dashboard.access import kept_token
from app.dashboard.guard import POLICY
from app.dashboard.pages import PAGES
from app.settings import Settings
from models.errors import ServiceError
from tests.unit.app.dashboard.stage import TOKEN, URL, staged

SCRIPT = "<script>alert(1)</script>"
EVERY = [*(page.path for page in PAGES), "/live?page=/", "/live?page=/people&user=u1", "/nowhere"]


@pytest.mark.parametrize("path", EVERY)
def test_without_the_token_nothing_is_shown(path: str) -> None:
    """A browser is asked for it, programs are told; nothing of the pages is in either."""
    with staged(log_in=False) as stage:
        asked = stage.client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
        assert asked.status_code == 303 and asked.headers["location"].startswith("/login?to=")
        told = stage.client.get(path, headers={"Accept": "text/event-stream"})
        assert (told.status_code, told.text[:4]) == (401, "This")


def test_token_opens_and_a_cookie_stays() -> None:
    """By the address that was printed, or typed; no script reads the cookie, no other site sends it."""
    with staged(log_in=False) as stage:
        by_address = stage.client.get(f"/login?token={TOKEN}&to=/stream%3Ftype%3Dclick", follow_redirects=False)
        assert (by_address.status_code, by_address.headers["location"]) == (303, "/stream?type=click")
        cookie = by_address.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and "secure" not in cookie
        assert TOKEN not in by_address.headers["set-cookie"]
        assert "Overview" in stage.page("/")
        stage.post("/logout")
        stage.client.cookies.clear()
        assert stage.client.get("/", follow_redirects=False).status_code == 401


@pytest.mark.parametrize("token", ["", "x", TOKEN[:-1], TOKEN + "x", "ä" * 20, "\udcff"])
def test_no_other_token_opens(token: str) -> None:
    """Nor a cookie that was made up."""
    with staged(log_in=False) as stage:
        answer = stage.client.post("/login", data={"token": token.encode("utf-8", "surrogatepass")})
        assert answer.status_code in (200, 401) and "set-cookie" not in answer.headers
        assert stage.client.get("/", headers={"Cookie": f"freshet_dashboard={'0' * 64}"}).status_code == 401


def test_tries_are_bounded() -> None:
    """Ten at once, then one in two seconds: the right one has to wait as well."""
    with staged(log_in=False) as stage:
        found = [stage.client.post("/login", data={"token": f"wrong-{n}"}).status_code for n in range(12)]
        assert found[:10] == [401] * 10 and found[-1] == 429
        assert stage.client.post("/login", data={"token": TOKEN}).status_code == 429


@pytest.mark.parametrize(
    "to", ["//evil.example/", "https://evil.example", "/\\evil", "javascript:alert(1)", "/nowhere", "//[x"]
)
def test_the_token_leads_to_no_other_site(to: str) -> None:
    """Only to pages of ours."""
    with staged(log_in=False) as stage:
        answer = stage.client.post("/login", data={"token": TOKEN, "to": to}, follow_redirects=False)
        assert answer.headers["location"] == "/"


@pytest.mark.parametrize("path", ["/people/click", "/dead-letters/redrive", "/logout"])
@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": URL, "Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_forms_of_other_sites_change_nothing(path: str, headers: dict[str, str]) -> None:
    """Even with what our forms hold; and without that, ours change nothing either."""
    with staged(dashboard_changes=True) as stage:
        fields = {"user": "u1", "item": "i1", "form": stage.form}
        assert stage.client.post(path, data=fields, headers=headers).status_code == 403
        assert stage.client.post(path, data={**fields, "form": "x"}, headers={"Origin": URL}).status_code == 403
        assert stage.client.get(path).status_code == 405
        assert stage.sent.records == [] and stage.letters.last is None


@pytest.mark.parametrize("path", ["/people/click", "/dead-letters/redrive"])
def test_by_default_it_only_shows(path: str) -> None:
    """A form that is ours is refused as well, with the setting that would let it."""
    with staged() as stage:
        answer = stage.post(path, user="u1", item="i1")
        assert answer.status_code == 403 and "FRESHET_DASHBOARD_CHANGES" in answer.text
        assert stage.sent.records == [] and stage.letters.last is None


@pytest.mark.parametrize("path", ["/", "/static/live.js", "/healthz", "/login", "/nowhere", "/live?page=x"])
def test_every_answer_keeps_to_itself(path: str) -> None:
    """No script, style, picture or form of anybody else, no frame around it."""
    with staged() as stage:
        headers = stage.client.get(path).headers
        assert headers["content-security-policy"] == POLICY and "unsafe" not in POLICY
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "same-origin"
        assert ("immutable" in headers["cache-control"]) is path.startswith("/static/")


def test_pages_hold_no_script_and_no_style_of_their_own() -> None:
    """All of both comes from files, as the policy wants it."""
    with staged() as stage:
        for page in PAGES:
            html = stage.page(page.path)
            assert " style=" not in html and "<style" not in html and " onclick" not in html
            assert html.count("<script") == html.count("<script src=") == 2
            assert "http://" not in html.replace("http://127.0.0.1:9108", "") and "https://" not in html


def test_too_long_a_form_is_refused() -> None:
    """Before it is read to its end."""
    with staged(log_in=False) as stage:
        assert stage.client.post("/login", data={"token": "x" * 30_000}).status_code == 413


def test_token_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """Made once, readable by nobody else; a folder that is not there is told."""
    path = tmp_path / "token"
    token = kept_token(path)
    assert len(token) >= 32 and kept_token(path) == token
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ServiceError, match="FRESHET_DASHBOARD_TOKEN"):
        kept_token(tmp_path / "nowhere" / "token")


@pytest.mark.parametrize("token", ["short", "with spaces in between", "ä" * 20])
def test_a_weak_token_is_refused(token: str) -> None:
    """16 printable characters at least."""
    with pytest.raises(ValidationError, match="16"):
        Settings(dashboard_token=token)
