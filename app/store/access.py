"""How to reach Redis: which servers, how they are secured, and as whom."""

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from redis.connection import parse_url

from app.store.errors import bad_url, masked
from models.errors import SettingsError

Mode: TypeAlias = Literal["standalone", "sentinel", "cluster"]
Host: TypeAlias = tuple[str, int]

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
_SCHEME: Final = re.compile(r"(rediss?)\+(cluster|sentinel)://(?:([^/]*)@)?([^/?@]+)(/[^?]*)?(\?.*)?", re.DOTALL)
_UNCHECKED: Final = {"ssl_cert_reqs", "ssl_check_hostname"}
# What redis-py takes from a URL's query and we let pass: the rest is ours to say.
_QUERY: Final = {"db", "username", "password", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"}


@dataclass(frozen=True, slots=True)
class RedisAccess:
    """Servers, encryption and login; made by `redis_access`.

    Parameters
    ----------
    shown
        The URL without secrets, for messages and logs.
    hosts
        The server, the sentinels, or some nodes of the cluster. Empty for a socket.
    socket
        Path of a Unix socket; empty for none.
    master
        The name of the primary that the sentinels watch.
    login
        `username` and `password` for the servers, as redis-py names them.
    sentinel_login
        The same for the sentinels.
    tls
        Files and checks of TLS, as redis-py names them; None: no TLS.
    secrets
        What must not be seen in any message.
    """

    mode: Mode
    shown: str
    hosts: tuple[Host, ...]
    socket: str = ""
    db: int = 0
    master: str = ""
    login: dict[str, str] = field(default_factory=dict, repr=False)
    sentinel_login: dict[str, str] = field(default_factory=dict, repr=False)
    tls: dict[str, Any] | None = None
    allow_plaintext: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def check_host(self, host: str) -> None:
        """Refuse to send a password where everybody on the way can read it.

        Raises
        ------
        SettingsError
            If there is a password, no TLS, the host is another machine, and nobody has allowed it.
        """
        if self.tls is None and self.secrets and not self.allow_plaintext and not is_this_machine(host):
            raise SettingsError(
                f"Redis at {self.shown}: the password would go to {host} unencrypted. Use rediss:// (TLS), or allow it "
                "by FRESHET_REDIS_ALLOW_PLAINTEXT_CREDENTIALS=true where nobody else can listen."
            )


def redis_access(
    url: str,
    *,
    username: str = "",
    password: str = "",
    sentinel_username: str = "",
    sentinel_password: str = "",
    ca_file: str = "",
    certificate_file: str = "",
    key_file: str = "",
    allow_plaintext_credentials: bool = False,
) -> RedisAccess:
    """Read a URL, and put beside it what is better kept out of one.

    Parameters
    ----------
    url
        `redis://[user:password@]host[:port][/db]`; `rediss://` for TLS; `unix:///path`;
        `redis+cluster://host[:port][,host[:port]...]` and `redis+sentinel://host[:port][,...]/primary[/db]`, both also
        with `rediss+`.
    username, password
        Where the URL has none.
    ca_file, certificate_file, key_file
        PEM files: who is trusted (empty: the system's), and this client's own certificate.
    allow_plaintext_credentials
        Send passwords to other machines without TLS.

    Raises
    ------
    SettingsError
        If the URL cannot be read, a file cannot be used, or a password would go out unencrypted.
    """
    mode, hosts, plain, master, db_of_path = _taken_apart(url)
    options = _parsed(url, plain)
    if mode == "standalone" and "path" not in options:
        hosts = ((options.get("host", "localhost"), options.get("port", PORT)),)
    is_tls = plain.startswith("rediss://")
    login = _login(options.get("username", "") or username, options.get("password", "") or password)
    sentinel_login = _login(sentinel_username, sentinel_password)
    files = {
        "ssl_ca_certs": options.get("ssl_ca_certs") or ca_file,
        "ssl_ca_path": options.get("ssl_ca_path", ""),
        "ssl_certfile": options.get("ssl_certfile") or certificate_file,
        "ssl_keyfile": options.get("ssl_keyfile") or key_file,
    }
    files = {name: value for name, value in files.items() if value}
    if files and not is_tls:
        raise SettingsError(
            f"Redis URL {masked(url)!r} does not use TLS, and certificate files are set ({', '.join(files.values())}). "
            "Write rediss:// in place of redis://, or unset FRESHET_REDIS_CA_FILE, _CERTIFICATE_FILE and _KEY_FILE."
        )
    if is_tls:
        _check_files(files)
    access = RedisAccess(
        mode=mode,
        shown=masked(url),
        hosts=hosts,
        socket=options.get("path", ""),
        db=int(options.get("db", db_of_path)),
        master=master,
        login=login,
        sentinel_login=sentinel_login,
        tls={
            "ssl_cert_reqs": "required",
            "ssl_check_hostname": True,
            "ssl_min_version": ssl.TLSVersion.TLSv1_2,
            **files,
        }
        if is_tls
        else None,
        allow_plaintext=allow_plaintext_credentials,
        secrets=tuple(found["password"] for found in (login, sentinel_login) if "password" in found),
    )
    if mode == "cluster" and access.db:
        raise SettingsError(
            f"Redis URL {masked(url)!r} names database {access.db}: a cluster has 0 alone. Leave it out."
        )
    for host, _ in hosts:
        access.check_host(host)
    return access


def is_this_machine(host: str) -> bool:
    """Whether what is sent to a host stays on this machine.

    Examples
    --------
    >>> [is_this_machine(host) for host in ("localhost", "127.0.0.2", "::1", "10.0.0.1", "cache")]
    [True, True, True, False, False]
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def secret_of_file(setting: str, path: str) -> str:
    """The first line of a file that holds a secret.

    Raises
    ------
    SettingsError
        If it cannot be read, or is empty.
    """
    try:
        secret = Path(path).read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SettingsError(f"{setting} names {path!r}, which cannot be read: {why}.") from None
    if not secret:
        raise SettingsError(f"{setting} names {path!r}, whose first line is empty. Write the password there.")
    return secret


def _taken_apart(url: str) -> tuple[Mode, tuple[Host, ...], str, str, int]:
    """Mode, hosts, a URL of one server that redis-py can read, the primary's name, and the database in the path."""
    found = _SCHEME.fullmatch(url)
    if found is None:
        if re.match(r"redis(s?)\+", url):
            raise bad_url(url)
        return "standalone", (), url, "", 0
    scheme, kind, login, hosts, path, query = found.groups(default="")
    mode: Mode = "cluster" if kind == "cluster" else "sentinel"
    parts = path.strip("/").split("/") if path.strip("/") else []
    master = parts.pop(0) if mode == "sentinel" and parts else ""
    if (mode == "sentinel" and not master) or len(parts) > 1 or any(not part.isdecimal() for part in parts):
        raise bad_url(url)
    default = PORT if mode == "cluster" else SENTINEL_PORT
    listed = tuple(_host(each, default, url) for each in hosts.split(","))
    plain = f"{scheme}://{f'{login}@' if login else ''}{hosts.split(',')[0]}{query}"
    return mode, listed, plain, master, int(parts[0]) if parts else 0


def _host(text: str, port: int, url: str) -> Host:
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+)(?::(\d{1,5}))?", text)
    if found is None or not 0 < int(found[2] or port) < 65_536:
        raise bad_url(url)
    return found[1].strip("[]"), int(found[2] or port)


def _parsed(url: str, plain: str) -> dict[str, Any]:
    try:
        options: dict[str, Any] = parse_url(plain)
    except ValueError:
        raise bad_url(url) from None
    options.pop("connection_class", None)
    asked = set(options) - _QUERY - {"host", "port", "path"}
    if unchecked := asked & _UNCHECKED:
        raise SettingsError(
            f"Redis URL {masked(url)!r} has {', '.join(sorted(unchecked))}: certificates and host names are always "
            "checked. Leave it out, and name the CA by FRESHET_REDIS_CA_FILE."
        )
    if asked:
        raise SettingsError(
            f"Redis URL {masked(url)!r} has {', '.join(sorted(asked))}, which cannot be set there. Use "
            f"{', '.join(sorted(_QUERY))}, or none."
        )
    return options


def _login(username: str, password: str) -> dict[str, str]:
    return {name: value for name, value in (("username", username), ("password", password)) if value}


def _check_files(files: dict[str, str]) -> None:
    """Say now what is wrong with a file: later it would look like a server that cannot be reached."""
    if "ssl_keyfile" in files and "ssl_certfile" not in files:
        raise SettingsError("FRESHET_REDIS_KEY_FILE is set without FRESHET_REDIS_CERTIFICATE_FILE. Set both, or none.")
    try:
        context = ssl.create_default_context(cafile=files.get("ssl_ca_certs"), capath=files.get("ssl_ca_path"))
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"FRESHET_REDIS_CA_FILE {files.get('ssl_ca_certs')!r} is no file of PEM certificates: {_why(error)}."
        ) from None
    if "ssl_certfile" in files:
        names = f"{files['ssl_certfile']!r} and {files.get('ssl_keyfile', files['ssl_certfile'])!r}"
        try:
            context.load_cert_chain(files["ssl_certfile"], files.get("ssl_keyfile"), password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"FRESHET_REDIS_CERTIFICATE_FILE and FRESHET_REDIS_KEY_FILE name {names}, which are no certificate and "
                f"its unencrypted key in PEM: {_why(error)}."
            ) from None


def _why(error: OSError) -> str:
    return error.strerror or str(error)
