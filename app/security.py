"""How a client proves who it is to Kafka, and how it knows whom it talks to."""

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from models.errors import SettingsError

if TYPE_CHECKING:
    from app.tokens import TokenProvider

VARIABLE: Final = "FRESHET_KAFKA_"
TOKENS: Final = "OAUTHBEARER"


@dataclass(frozen=True, slots=True)
class Security:
    """Protocol, login and certificates; secrets are in no repr.

    Parameters
    ----------
    protocol
        PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    mechanism
        With SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER.
    username, password, password_file
        The login; for a token URL id and secret of the client.
    ca_file, certificate_file, key_file, key_password
        PEM files: whom to trust (empty: whom the system trusts), and the client's own certificate.
    token_file
        Holds a token, and is read again for each connection.
    token_url, token_scope
        Where tokens are asked for by client credentials.
    allow_plaintext_credentials
        Whether other machines may have credentials without TLS; this one always may.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    password_file: str = ""
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)
    token_file: str = ""
    token_url: str = ""
    token_scope: str = ""
    allow_plaintext_credentials: bool = False

    @property
    def with_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.protocol.endswith("SSL")

    @property
    def with_login(self) -> bool:
        """Whether the client logs in."""
        return self.protocol.startswith("SASL")

    def check(self, servers: str) -> None:
        """Refuse what cannot work, would be ignored, or would give credentials away.

        Raises
        ------
        SettingsError
            Naming the setting and what to do.
        """
        if self.with_login:
            self._check_login(servers)
        else:
            self._refuse_ignored(("username", "password", "password_file", "token_file", "token_url"), "protocol")
        if not self.with_tls:
            self._refuse_ignored(("ca_file", "certificate_file", "key_file"), "protocol")
        if self.key_file and not self.certificate_file:
            raise SettingsError(
                f"{VARIABLE}KEY_FILE is set without {VARIABLE}CERTIFICATE_FILE: name the certificate, too."
            )

    def _refuse_ignored(self, names: Iterable[str], by: str) -> None:
        for name in names:
            if getattr(self, name):
                alone = name in ("ca_file", "certificate_file", "key_file") and not self.with_login
                wanted = {"protocol": "SSL" if alone else "SASL_SSL", "mechanism": TOKENS}
                raise SettingsError(
                    f"{VARIABLE}{name.upper()} is set, and {VARIABLE}{by.upper()} is {getattr(self, by)}, which does "
                    f"not use it. Set {VARIABLE}{by.upper()}={wanted[by]}, or unset the other."
                )

    def _check_login(self, servers: str) -> None:
        if self.mechanism == TOKENS:
            if bool(self.token_file) == bool(self.token_url):
                raise SettingsError(
                    f"{VARIABLE}MECHANISM is {TOKENS}: set either {VARIABLE}TOKEN_FILE or {VARIABLE}TOKEN_URL."
                )
            if self.token_url:
                self._check_password(f"for {VARIABLE}TOKEN_URL, as the client's id and secret")
                url = urlsplit(self.token_url)
                if url.scheme not in ("http", "https") or not url.hostname:
                    raise SettingsError(f"{VARIABLE}TOKEN_URL is no https://host/path: {url.scheme}://{url.hostname}.")
                if url.scheme == "http":
                    self._refuse_in_the_clear([url.hostname], f"{VARIABLE}TOKEN_URL is no https://")
        else:
            self._refuse_ignored(("token_file", "token_url"), "mechanism")
            self._check_password(f"for {VARIABLE}MECHANISM {self.mechanism}")
        if not self.with_tls:
            self._refuse_in_the_clear(map(host_of, servers.split(",")), f"{VARIABLE}PROTOCOL is {self.protocol}")

    def _check_password(self, why: str) -> None:
        if not self.username:
            raise SettingsError(f"{VARIABLE}USERNAME is not set: it is needed {why}.")
        if bool(self.password) == bool(self.password_file):
            raise SettingsError(
                f"set either {VARIABLE}PASSWORD or {VARIABLE}PASSWORD_FILE: one of them is needed {why}."
            )

    def _refuse_in_the_clear(self, hosts: Iterable[str], why: str) -> None:
        others = sorted({host for host in hosts if not is_loopback(host)})
        if others and not self.allow_plaintext_credentials:
            raise SettingsError(
                f"{why}: credentials would go to {', '.join(others)} without TLS, for all in between to read. Use TLS, "
                f"or allow it by {VARIABLE}ALLOW_PLAINTEXT_CREDENTIALS=true."
            )

    def client(self) -> dict[str, Any]:
        """The arguments of any aiokafka client that say who connects, and how.

        Raises
        ------
        SettingsError
            If a file cannot be read.
        """
        if self == Security():
            return {}
        arguments: dict[str, Any] = {"security_protocol": self.protocol}
        if self.with_tls:
            arguments["ssl_context"] = self._context()
        if self.with_login:
            arguments["sasl_mechanism"] = self.mechanism
            if self.mechanism == TOKENS:
                arguments["sasl_oauth_token_provider"] = self._tokens()
            else:
                arguments |= {"sasl_plain_username": self.username, "sasl_plain_password": self.secret()}
        return arguments

    def secret(self) -> str:
        """The password, or what its file holds now, without the newline at its end."""
        if self.password_file:
            return read_secret(self.password_file, "PASSWORD_FILE")
        return self.password

    def _context(self) -> ssl.SSLContext:
        names = [name for name in ("ca_file", "certificate_file", "key_file") if getattr(self, name)]
        return _context(self, tuple(_changed_at(getattr(self, name), name.upper()) for name in names))

    def _tokens(self) -> "TokenProvider":
        from app.tokens import token_provider  # aiokafka: not for those who only read lists

        return token_provider(self)


def read_secret(path: str, name: str) -> str:
    """What a file holds, without the newline at its end.

    Raises
    ------
    SettingsError
        If it cannot be read, or holds nothing.
    """
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(f"{VARIABLE}{name} names {path}, which cannot be read: {why}.") from None
    if not secret:
        raise SettingsError(f"{VARIABLE}{name} names {path}, which is empty: write the secret into it.")
    return secret


@lru_cache(maxsize=8)
def _context(security: Security, _changed: tuple[int, ...]) -> ssl.SSLContext:
    """Trust and certificate as the files say; made anew when one of them has changed."""
    try:
        context = ssl.create_default_context(cafile=security.ca_file or None)
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{VARIABLE}CA_FILE names {security.ca_file}, which holds no certificates: {error}. Use a file in PEM."
        ) from None
    if security.certificate_file:
        try:
            context.load_cert_chain(
                security.certificate_file, security.key_file or None, password=lambda: security.key_password
            )
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"{VARIABLE}CERTIFICATE_FILE names {security.certificate_file}, {VARIABLE}KEY_FILE "
                f"{security.key_file or 'nothing'}, and they cannot be used: {error}. Use PEM files that belong "
                f"together, and {VARIABLE}KEY_PASSWORD if the key has one."
            ) from None
    return context


def _changed_at(path: str, name: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        raise SettingsError(f"{VARIABLE}{name} names {path}, which cannot be read: {error.strerror}.") from None


def host_of(server: str) -> str:
    """The host in `host:port`.

    Examples
    --------
    >>> host_of("kafka-1:9092"), host_of("[::1]:9092"), host_of("kafka-1")
    ('kafka-1', '::1', 'kafka-1')
    """
    return urlsplit(f"//{server.strip()}").hostname or ""


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by its name or address alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
