"""Tokens for OAUTHBEARER: from a file, or from a server that gives them for client credentials."""

import base64
import ssl
import time
from functools import lru_cache

import aiohttp
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaConnectionError

from app.security import VARIABLE, Security, read_secret
from models.errors import SettingsError

TIMEOUT_S = 10.0
USED_SHARE = 0.8  # of a token's life; then the next one is asked for
OK = 200


class TokenRefused(KafkaConnectionError):  # type: ignore[misc]  # aiokafka has no types
    """There is no token; like any other failure to connect it may pass."""


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Gives every new connection a token.

    It serves all clients of a process, whatever event loop they run in.
    """

    def __init__(self, security: Security) -> None:
        self._security = security
        self._token = ""
        self._use_until = 0.0

    async def token(self) -> str:
        """A token that is valid now.

        Raises
        ------
        TokenRefused
            If there is none; the message names the setting, and no secret.
        """
        try:
            if self._security.token_file:
                return read_secret(self._security.token_file, "TOKEN_FILE").strip()
            if time.monotonic() >= self._use_until:
                await self._ask()
        except SettingsError as error:
            raise TokenRefused(str(error)) from None
        return self._token

    async def _ask(self) -> None:
        security, url = self._security, self._security.token_url
        form = {"grant_type": "client_credentials"} | ({"scope": security.token_scope} if security.token_scope else {})
        login = base64.b64encode(f"{security.username}:{security.secret()}".encode()).decode()
        asked_at = time.monotonic()
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(TIMEOUT_S), trust_env=True) as session,
                session.post(
                    url,
                    data=form,
                    headers={"Authorization": f"Basic {login}"},
                    ssl=_trust(security.ca_file),
                    allow_redirects=False,
                ) as answer,
            ):
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise TokenRefused(f"{VARIABLE}TOKEN_URL {url} gave no token: {type(error).__name__} {error}.") from None
        fields = found if isinstance(found, dict) else {}
        token = fields.get("access_token")
        if answer.status != OK or not isinstance(token, str) or not token:
            raise TokenRefused(
                f"{VARIABLE}TOKEN_URL {url} gave no token: HTTP {answer.status} {str(fields.get('error', ''))[:80]}. "
                f"Check {VARIABLE}USERNAME and {VARIABLE}PASSWORD (id and secret of the client), and "
                f"{VARIABLE}TOKEN_SCOPE."
            )
        lasts_s = fields.get("expires_in", 0)
        self._token = token
        self._use_until = asked_at + USED_SHARE * (lasts_s if isinstance(lasts_s, int | float) else 0)


@lru_cache(maxsize=8)
def token_provider(security: Security) -> TokenProvider:
    """The one provider of these settings."""
    return TokenProvider(security)


@lru_cache(maxsize=8)
def _trust(ca_file: str) -> ssl.SSLContext:
    """Whom the system trusts, and the CA of the brokers: such a server may be of either kind."""
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    return context
