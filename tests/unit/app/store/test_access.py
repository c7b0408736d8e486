"""How Redis is reached, read from a URL and settings: what is understood, and what is refused with words that help."""

import os
from pathlib import Path
from typing import Any

import pytest

from app.settings import Settings
from app.store.access import redis_access
from models.errors import SettingsError
from tests.tls_proxy import Certificates, certificates

SECRET = "s3cret"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates for the tests of this file."""
    return certificates(tmp_path_factory.mktemp("certificates"))


@pytest.mark.parametrize(
    ("url", "mode", "hosts", "db", "master"),
    [
        ("redis://cache", "standalone", (("cache", 6379),), 0, ""),
        ("rediss://cache:6380/2", "standalone", (("cache", 6380),), 2, ""),
        ("redis://[::1]:7000", "standalone", (("::1", 7000),), 0, ""),
        ("unix:///run/redis.sock?db=3", "standalone", (), 3, ""),
        ("redis+cluster://a:7000,b,[fe80::1]:7", "cluster", (("a", 7000), ("b", 6379), ("fe80::1", 7)), 0, ""),
        ("rediss+cluster://a:7000/0", "cluster", (("a", 7000),), 0, ""),
        ("redis+sentinel://a,b:26380/shop", "sentinel", (("a", 26379), ("b", 26380)), 0, "shop"),
        ("rediss+sentinel://a/shop/4", "sentinel", (("a", 26379),), 4, "shop"),
    ],
)
def test_urls(url: str, mode: str, hosts: tuple[object, ...], db: int, master: str) -> None:
    """Each form of URL names its servers; TLS is what it says, with every check on."""
    access = redis_access(url)

    assert (access.mode, access.hosts, access.db, access.master) == (mode, hosts, db, master)
    assert access.shown == url
    assert (access.tls is not None) == url.startswith("rediss")
    if access.tls is not None:
        assert access.tls["ssl_cert_reqs"] == "required"
        assert access.tls["ssl_check_hostname"] is True


@pytest.mark.parametrize(
    "url",
    [
        f"redis+cluster://u:{SECRET}@",
        f"redis+cluster://u:{SECRET}@a:x",
        f"redis+cluster://u:{SECRET}@a:70000",
        f"redis+cluster://u:{SECRET}@a/shop",
        f"redis+sentinel://u:{SECRET}@a",
        f"redis+sentinel://u:{SECRET}@a/shop/x",
        f"redis+other://u:{SECRET}@a",
        f"redis+cluster://u:{SECRET}/more@a",
    ],
)
def test_urls_that_cannot_be_read(url: str) -> None:
    """They are refused with the right forms, and without the password."""
    with pytest.raises(SettingsError, match=r"redis\+cluster://host:port,host:port") as caught:
        redis_access(url, allow_plaintext_credentials=True)

    assert SECRET not in str(caught.value)


def test_login_of_the_url_goes_before_the_settings() -> None:
    """User and password stand in the URL, escaped, or in the settings; the URL has the last word."""
    both = redis_access("redis://w:p%40ss@localhost", username="other", password="other")
    beside = redis_access("redis+cluster://localhost:1,localhost:2", username="w", password=SECRET)

    assert both.login == {"username": "w", "password": "p@ss"}
    assert beside.login == {"username": "w", "password": SECRET}
    assert SECRET not in repr(beside) and "p@ss" not in repr(both) and both.shown == "redis://w:***@localhost"


@pytest.mark.parametrize("url", ["redis://{}:6379", "redis+cluster://localhost,{}", "redis+sentinel://{}/shop"])
def test_passwords_go_to_other_machines_by_tls_alone(url: str) -> None:
    """Without TLS a password is refused unless it stays on this machine or is allowed by name; the fix is named."""
    with pytest.raises(
        SettingsError, match=r"to cache unencrypted.*FRESHET_REDIS_ALLOW_PLAINTEXT_CREDENTIALS"
    ) as caught:
        redis_access(url.format("cache"), password=SECRET)
    assert SECRET not in str(caught.value)

    redis_access(url.format("cache"))
    redis_access(url.format("cache").replace("redis", "rediss", 1), password=SECRET)
    allowed = redis_access(url.format("cache"), password=SECRET, allow_plaintext_credentials=True)
    allowed.check_host("another")
    here = redis_access(url.format("127.0.0.1"), password=SECRET)
    with pytest.raises(SettingsError, match=r"to 10\.0\.0\.7 unencrypted"):
        here.check_host("10.0.0.7")  # a node that the others have named


def test_passwords_of_sentinels_are_guarded_too() -> None:
    """A password for the sentinels alone does not go out unencrypted either."""
    with pytest.raises(SettingsError, match="unencrypted"):
        redis_access("redis+sentinel://cache/shop", sentinel_password=SECRET)


@pytest.mark.parametrize(
    ("url", "options", "said"),
    [
        ("rediss://cache?ssl_cert_reqs=none", {}, "certificates and host names are always checked"),
        ("rediss://cache?ssl_check_hostname=false", {}, "certificates and host names are always checked"),
        ("redis://cache?max_connections=3", {}, "max_connections, which cannot be set there"),
        ("redis+cluster://cache/3", {}, "a cluster has 0 alone"),
        ("redis://cache", {"ca_file": "ca.pem"}, "does not use TLS, and certificate files are set"),
        ("rediss://cache", {"ca_file": "/no/ca.pem"}, "FRESHET_REDIS_CA_FILE '/no/ca.pem' is no file of PEM"),
        ("rediss://cache", {"key_file": "/no/key.pem"}, "KEY_FILE is set without FRESHET_REDIS_CERTIFICATE_FILE"),
        ("rediss://cache", {"certificate_file": "/no/c.pem"}, "'/no/c.pem' and '/no/c.pem', which are no certificate"),
    ],
)
def test_what_cannot_be_secure_is_refused(url: str, options: dict[str, Any], said: str) -> None:
    """Checks cannot be turned off, and files that cannot be used are told of at once, not as a server that is away."""
    with pytest.raises(SettingsError) as caught:
        redis_access(url, **options)

    assert said in str(caught.value)


def test_certificates_that_fit(files: Certificates) -> None:
    """A CA, a certificate and its key are taken; a key of another certificate is refused."""
    right: dict[str, Any] = {"certificate_file": files.client_file, "key_file": files.client_key_file}
    access = redis_access("rediss://cache", ca_file=files.ca_file, **right)

    assert access.tls is not None
    assert access.tls["ssl_ca_certs"] == files.ca_file
    assert access.tls["ssl_keyfile"] == files.client_key_file
    with pytest.raises(SettingsError, match="no certificate and its unencrypted key"):
        redis_access("rediss://cache", certificate_file=files.server_file, key_file=files.client_key_file)


def test_secrets_by_file(tmp_path: Path) -> None:
    """The first line of the file is the password; both ways at once, a missing and an empty file are refused."""
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\r\nand a note\n")
    settings = Settings(redis_username="w", redis_password_file=str(path))

    assert settings.redis.login == {"username": "w", "password": SECRET}
    path.write_text("\n")
    refused: list[tuple[dict[str, Any], str]] = [
        ({"redis_password_file": str(path)}, "whose first line is empty"),
        ({"redis_password_file": str(tmp_path / "none")}, "cannot be read: No such file"),
        ({"redis_password_file": str(path), "redis_password": SECRET}, "are both set, and only one can hold"),
        ({"redis_sentinel_password_file": str(tmp_path)}, "FRESHET_REDIS_SENTINEL_PASSWORD_FILE names"),
    ]
    for changes, said in refused:
        with pytest.raises(SettingsError) as caught:
            _ = Settings(**changes).redis
        assert said in str(caught.value)
        assert SECRET not in str(caught.value)


def test_settings_of_ones_own_server() -> None:
    """A server started here has neither login nor TLS, whatever the settings say about another one."""
    theirs = Settings(redis_url="rediss://cache", redis_password=SECRET, redis_ca_file=os.devnull)
    ours = theirs.model_copy(update=theirs.with_redis_at("redis://127.0.0.1:1/0"))

    assert ours.redis.login == {}
    assert ours.redis.tls is None
    assert SECRET not in repr(theirs)
