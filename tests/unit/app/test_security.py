"""How Kafka is reached: what is refused, what every client is given, and what nobody gets to see."""

import logging
import ssl
from pathlib import Path
from typing import Any

import faust
import pytest
import trustme

from app.broker import Broker
from app.security import Security
from app.settings import Settings, load_settings
from app.worker.client import credentials
from app.worker.process import environment
from models.errors import SettingsError
from tests.command import freshet

SECRET = "hunter2-hunter2"
LOGIN: dict[str, Any] = {"kafka_protocol": "SASL_SSL", "kafka_username": "ann", "kafka_password": SECRET}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kafka_password": SECRET}, "FRESHET_KAFKA_PASSWORD is set, and FRESHET_KAFKA_PROTOCOL is PLAINTEXT"),
        ({"kafka_ca_file": "ca.pem"}, "does not use it. Set FRESHET_KAFKA_PROTOCOL=SSL, or unset the other"),
        ({"kafka_protocol": "SASL_SSL"}, "FRESHET_KAFKA_USERNAME is not set: it is needed for FRESHET_KAFKA_MECHANISM"),
        ({**LOGIN, "kafka_password": ""}, "set either FRESHET_KAFKA_PASSWORD or FRESHET_KAFKA_PASSWORD_FILE"),
        ({**LOGIN, "kafka_password_file": "f"}, "set either FRESHET_KAFKA_PASSWORD or FRESHET_KAFKA_PASSWORD_FILE"),
        ({**LOGIN, "kafka_token_file": "f"}, "Set FRESHET_KAFKA_MECHANISM=OAUTHBEARER, or unset the other"),
        ({**LOGIN, "kafka_mechanism": "OAUTHBEARER"}, "either FRESHET_KAFKA_TOKEN_FILE or FRESHET_KAFKA_TOKEN_URL"),
        (
            {**LOGIN, "kafka_mechanism": "OAUTHBEARER", "kafka_token_url": "http://idp/token"},
            "FRESHET_KAFKA_TOKEN_URL is no https://: credentials would go to idp without TLS",
        ),
        (
            {**LOGIN, "kafka_protocol": "SASL_PLAINTEXT", "broker": "127.0.0.1:1,kafka-1:9092"},
            "credentials would go to kafka-1 without TLS",
        ),
        ({"kafka_protocol": "SSL", "kafka_key_file": "k"}, "KEY_FILE is set without FRESHET_KAFKA_CERTIFICATE_FILE"),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_together(settings: dict[str, Any], said: str) -> None:
    """What cannot work, is ignored or gives credentials away is refused, with the setting and without the secret."""
    with pytest.raises(SettingsError) as refused:
        load_settings(**settings)

    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


def test_credentials_without_tls() -> None:
    """To this machine they may go; to others if it is allowed by name."""
    plain = {**LOGIN, "kafka_protocol": "SASL_PLAINTEXT"}

    for broker in ("localhost:1", "127.0.0.7:1", "[::1]:1"):
        assert Settings(**plain, broker=broker).kafka.client()["sasl_plain_password"] == SECRET
    Settings(**plain, broker="kafka-1:9092", kafka_allow_plaintext_credentials=True).kafka.client()


def test_what_a_client_is_given(tmp_path: Path) -> None:
    """Nothing but the address by default; with TLS a context that checks host names, with a login who it is."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    (tmp_path / "password").write_text(f"{SECRET}\n")

    assert Settings().kafka.client() == {"bootstrap_servers": "127.0.0.1:9092"}
    files = {"kafka_ca_file": str(tmp_path / "ca.pem"), "kafka_password_file": str(tmp_path / "password")}
    given = Settings(**{**LOGIN, "kafka_password": "", **files}).kafka.client()

    context = given.pop("ssl_context")
    assert given == {
        "bootstrap_servers": "127.0.0.1:9092",
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "ann",
        "sasl_plain_password": SECRET,
    }
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kafka_ca_file": "no-such.pem"}, "FRESHET_KAFKA_CA_FILE names no-such.pem, which cannot be read"),
        ({"kafka_ca_file": "empty"}, "FRESHET_KAFKA_CA_FILE names empty, which holds no certificates"),
        ({"kafka_certificate_file": "empty"}, "CERTIFICATE_FILE names empty, FRESHET_KAFKA_KEY_FILE nothing"),
        ({"kafka_password_file": "none", "kafka_password": ""}, "FRESHET_KAFKA_PASSWORD_FILE names none, which cannot"),
        ({"kafka_password_file": "empty", "kafka_password": ""}, "PASSWORD_FILE names empty, which is empty"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], said: str
) -> None:
    """The message names setting, file and what is wrong."""
    monkeypatch.chdir(tmp_path)
    Path("empty").write_text("")

    with pytest.raises(SettingsError) as refused:
        Settings(**{**LOGIN, **changed}).kafka.client()

    assert said in str(refused.value)


def test_certificate_that_changed_is_read_again(tmp_path: Path) -> None:
    """A new CA file counts for the next client; while it stays, the context is the same."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    broker = Broker("b:1", Security(protocol="SSL", ca_file=str(path)))
    first = broker.client()["ssl_context"]
    assert broker.client()["ssl_context"] is first

    path.write_bytes(path.read_bytes() + trustme.CA().cert_pem.bytes())

    assert len(broker.client()["ssl_context"].get_ca_certs()) == 2


def test_faust_is_given_the_same() -> None:
    """Plain, TLS, password and token each become Faust's own kind of credentials."""
    assert credentials(Broker("b:1")) is None
    assert isinstance(credentials(Broker("b:1", Security(protocol="SSL"))), faust.SSLCredentials)
    login = Security("SASL_SSL", "SCRAM-SHA-256", "ann", SECRET)
    found = credentials(Broker("b:1", login))
    assert isinstance(found, faust.SASLCredentials)
    assert (found.username, found.password, found.mechanism.value) == ("ann", SECRET, "SCRAM-SHA-256")
    assert found.ssl_context is not None
    tokens = credentials(Broker("b:1", Security("SASL_SSL", "OAUTHBEARER", token_file="f")))
    assert isinstance(tokens, faust.OAuthCredentials)
    assert tokens.ssl_context is not None


def test_secrets_are_seen_by_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in `settings`, not in what an object says of itself; a child process has them in its environment."""
    monkeypatch.chdir(tmp_path)
    settings = Settings(**LOGIN, kafka_key_password=SECRET)
    for arguments in (("settings",), ("settings", "--json")):
        shown = freshet(*arguments, settings=settings)
        assert shown.code == 0
        assert SECRET not in shown.out + shown.err
        assert "***" in shown.out
    with caplog.at_level(logging.DEBUG):
        said = f"{settings!r} {settings.kafka!r} {settings.kafka} {settings.kafka.security}"
    assert SECRET not in said + caplog.text
    assert environment(settings)["FRESHET_KAFKA_PASSWORD"] == SECRET


def test_local_broker_wants_no_login() -> None:
    """Who starts a broker of one's own, speaks to it plainly, whatever the settings say of another."""
    there = Settings(**LOGIN, kafka_ca_file="ca.pem")

    here = there.model_copy(update=there.with_kafka_at("127.0.0.1:5"))

    assert here.kafka.client() == {"bootstrap_servers": "127.0.0.1:5"}
