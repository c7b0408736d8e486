"""Why Kafka cannot be used, in words for the one who runs it: no connection, no login, no permission.

aiokafka raises one and the same error for an absent broker, a wrong password and a certificate that nobody trusts, and
goes on trying. What it met is found by connecting once more, alone.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from app.broker import Broker
from app.security import TOKENS, VARIABLE, Security
from app.tokens import TokenRefused

PATIENCE_S = 5.0
LET_GO_S = 0.2  # aiokafka does not wait for connections that failed to be closed: they take some turns of the loop
FAILURES: Final = (OSError, KafkaError, TimeoutError, ValueError, KeyError, AssertionError)
NOT_ALLOWED: Final = {
    TopicAuthorizationFailedError: "topic",
    GroupAuthorizationFailedError: "consumer group",
    TransactionalIdAuthorizationFailed: "transactional id",
    ClusterAuthorizationFailedError: "cluster",
}
HOST_NAME_MISMATCH, ADDRESS_MISMATCH, EXPIRED = 62, 64, 10  # OpenSSL's X509_V_ERR_*


def not_allowed(error: BaseException) -> str | None:
    """What this client may not use, if that is what an error says, and what to do."""
    for kind, what in NOT_ALLOWED.items():
        if isinstance(error, kind):
            about = error.args[0] if error.args else ""
            named = sorted(about) if isinstance(about, set | frozenset | list | tuple) else [str(about)]
            return (
                f"Kafka does not let this client use the {what} {', '.join(map(str, named))} as it has to. Grant what "
                "`freshet topics --print --format acls` prints; `freshet doctor` names what is missing."
            )
    return None


async def no_connection(broker: Broker, error: BaseException) -> str:
    """Why no client gets a connection; `error` is what one said."""
    silent, found = "", ""
    for host, port, _ in collect_hosts(broker.servers, randomize=False):
        said = await refusal(broker, host, port)
        if said is not None and said[0]:
            found = f"Kafka at {host}:{port} {said[1]}"
            break
        silent = silent or (said[1] if said else "")
    await asyncio.sleep(LET_GO_S)
    return found or (
        f"Kafka at {broker} cannot be reached: {silent or error}. Start it (`freshet up` brings a local one), or set "
        "FRESHET_BROKER to host:port."
    )


async def refusal(broker: Broker, host: str, port: int) -> tuple[bool, str] | None:
    """Whether somebody answers at an address, and why it is no use; None if it is of use."""
    try:
        connection = await _connect(broker.security, host, port)
        try:
            await connection.send(MetadataRequest([]))
        finally:
            await connection.close()
    except FAILURES as error:
        return await _explained(broker.security, host, port, error)
    return None


async def _connect(security: Security, host: str, port: int) -> AIOKafkaConnection:
    return await create_conn(host, port, request_timeout_ms=int(PATIENCE_S * 1000), **security.client())


async def _explained(security: Security, host: str, port: int, error: BaseException) -> tuple[bool, str]:
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return True, _untrusted(security, host, cause)
        if isinstance(cause, TokenRefused):
            return True, f"wants a login with a token. {cause.args[0]}"
        if isinstance(cause, SaslAuthenticationFailed):
            return True, _no_login(security, str(cause.args[0] if cause.args else cause))
        if isinstance(cause, socket.gaierror):
            return False, f"the name {host} is not known ({cause.strerror})"
        if isinstance(cause, ConnectionRefusedError):
            return False, f"nobody listens at {host}:{port}"
    said = await _listener(security, host, port)
    if said is not None:
        return True, said
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and "ALERT" in (cause.reason or ""):
            return True, _alert(security, cause)
    if security.with_tls and await _speaks_tls(host, port):
        return True, _alert(security, error)
    text = " ".join(str(error).split()) or f"no answer within {PATIENCE_S:g} s"
    return False, text


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _untrusted(security: Security, host: str, error: ssl.SSLCertVerificationError) -> str:
    why = error.verify_message.rstrip(".")
    if error.verify_code in (HOST_NAME_MISMATCH, ADDRESS_MISMATCH):
        return (
            f"shows a certificate for other hosts: {why}. Set FRESHET_BROKER to a name that stands in the certificate, "
            f"or have one made that names {host}."
        )
    if error.verify_code == EXPIRED:
        return f"shows a certificate that is out of date: {why}. Have it renewed; check this machine's clock."
    trusted = f"by {VARIABLE}CA_FILE={security.ca_file}" if security.ca_file else "by this system"
    return (
        f"shows a certificate that is not trusted {trusted}: {why}. Set {VARIABLE}CA_FILE to the PEM file of the CA "
        "that signed it."
    )


def _no_login(security: Security, said: str) -> str:
    if security.mechanism == TOKENS:
        source = "TOKEN_FILE" if security.token_file else "TOKEN_URL"
        return (
            f"refuses the token from {VARIABLE}{source}: {said}. Check that it has not expired, and that issuer, "
            "audience and scope are those that the broker wants."
        )
    password = "PASSWORD_FILE" if security.password_file else "PASSWORD"
    return (
        f"refuses the login of user {security.username!r} by {security.mechanism}: {said}. Check "
        f"{VARIABLE}USERNAME and {VARIABLE}{password}, and that the user is there for {VARIABLE}MECHANISM."
    )


def _alert(security: Security, error: BaseException) -> str:
    said = error.reason if isinstance(error, ssl.SSLError) and error.reason else "it closed the connection"
    if security.certificate_file:
        return (
            f"refuses the client's certificate ({said}). Check that {security.certificate_file} "
            f"({VARIABLE}CERTIFICATE_FILE) is of a CA that the broker trusts, and has not expired."
        )
    return (
        f"ended the TLS connection ({said}): it seems to want a client certificate. Set {VARIABLE}CERTIFICATE_FILE and "
        f"{VARIABLE}KEY_FILE."
    )


async def _listener(security: Security, host: str, port: int) -> str | None:
    """What the listener wants, where that differs from how it is spoken to; no credentials are sent."""
    with_tls = await _speaks_tls(host, port)
    if not with_tls and not await _answers(host, port):
        return None
    login, mechanisms = await _wants_login(security, host, port, with_tls=with_tls)
    if with_tls != security.with_tls or (login is not None and login != security.with_login):
        wanted = security.with_login if login is None else login
        protocol = ("SASL_" if wanted else "") + ("SSL" if with_tls else "PLAINTEXT")
        tls = "TLS" if with_tls else "plaintext"
        asks = {True: " and asks for a login", False: " and asks for no login", None: ""}[login]
        return (
            f"speaks {tls}{asks}, and {VARIABLE}PROTOCOL is {security.protocol}. Set {VARIABLE}PROTOCOL={protocol}, "
            "or FRESHET_BROKER to another listener's port."
        )
    if login and security.mechanism not in mechanisms:
        return (
            f"offers no login by {security.mechanism}, but by {', '.join(mechanisms) or 'nothing'}. Set "
            f"{VARIABLE}MECHANISM to one of them, or have {security.mechanism} enabled there."
        )
    return None


def _anyone() -> ssl.SSLContext:
    """Trust whoever answers: to see what it speaks, with nothing to lose."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _speaks_tls(host: str, port: int) -> bool:
    """Whether a TLS handshake is answered, by whomever."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            _, writer = await asyncio.open_connection(host, port, ssl=_anyone())
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (OSError, TimeoutError):
        return False
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def _answers(host: str, port: int) -> bool:
    try:
        connection = await _connect(Security(), host, port)
    except FAILURES:
        return False
    await connection.close()
    return True


async def _wants_login(
    security: Security, host: str, port: int, *, with_tls: bool
) -> tuple[bool | None, Sequence[str]]:
    """Whether the listener takes a login, and by which mechanisms; None if it does not say."""
    how: dict[str, Any] = {"security_protocol": "SSL" if with_tls else "PLAINTEXT"}
    if with_tls:
        how["ssl_context"] = security.client()["ssl_context"] if security.with_tls else _anyone()
    try:
        connection = await create_conn(host, port, request_timeout_ms=int(PATIENCE_S * 1000), **how)
        try:
            answer = await connection.send(SaslHandShakeRequest(security.mechanism))
        finally:
            await connection.close()
    except FAILURES:
        return None, ()
    if answer.error_code == IllegalSaslStateError.errno:
        return False, ()
    return answer.error_code in (0, UnsupportedSaslMechanismError.errno), answer.enabled_mechanisms
