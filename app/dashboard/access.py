"""Who may see the pages: the token, the cookie that stands for it, and the forms that it has sent itself."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from starlette.requests import Request

from models.errors import ServiceError

COOKIE: Final = "freshet_dashboard"
FIELD: Final = "form"
DAYS: Final = 30


def new_token() -> str:
    """A random token of 192 bits."""
    return secrets.token_urlsafe(24)


def kept_token(path: Path) -> str:
    """The token in a file that its owner alone may read; made if it is not there.

    Raises
    ------
    ServiceError
        If the file can be neither read nor made.
    """
    try:
        if path.exists() and (token := path.read_text("ascii").strip()):
            return token
        token = new_token()
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"{token}\n")
        return token
    except (OSError, ValueError) as error:
        raise ServiceError(
            f"the dashboard's token cannot be kept in {path}: {error}. Remove the file, or set FRESHET_DASHBOARD_TOKEN."
        ) from error


class Lock:
    """Lets in who knows the token. Neither it nor anything that could be turned into it is sent to a browser.

    Parameters
    ----------
    secure
        Whether the cookie is for HTTPS alone.
    """

    def __init__(self, token: str, *, secure: bool) -> None:
        self._token = token.encode()
        self._cookie = self._derived("cookie")
        self._field = self._derived("form")
        self.secure = secure

    def _derived(self, purpose: str) -> str:
        return hmac.new(self._token, f"freshet dashboard {purpose}".encode(), hashlib.sha256).hexdigest()

    @property
    def cookie(self) -> str:
        """What the cookie of who is let in holds."""
        return self._cookie

    @property
    def field(self) -> str:
        """What each form that changes something holds."""
        return self._field

    def opens(self, token: str) -> bool:
        """Whether it is the token; in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._token)

    def knows(self, request: Request) -> bool:
        """Whether the request's cookie is one that was given here; in constant time."""
        given = request.cookies.get(COOKIE, "")
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._cookie.encode())

    def sent_by_us(self, request: Request, field: str) -> bool:
        """Whether a form is one of our pages': it holds what they hold, and no other site's page has sent it."""
        origin = request.headers.get("origin")
        own = origin is None or origin.partition("://")[2] == request.headers.get("host")
        same = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
        return own and same and hmac.compare_digest(field.encode("utf-8", "surrogatepass"), self._field.encode())
