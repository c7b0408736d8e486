"""What went wrong with Redis, in words for the one who runs it."""

import re
from collections.abc import Sequence
from typing import Final

import redis
from redis.asyncio.sentinel import MasterNotFoundError as AsyncMasterNotFoundError
from redis.sentinel import MasterNotFoundError

from models.errors import ServiceError, SettingsError


class FunctionsMissing(ServiceError):
    """The server does not know our function library: it is new, was restarted empty, or had its functions flushed."""


_OF_CLUSTER: Final = "Write redis+cluster:// (with TLS rediss+cluster://) in FRESHET_REDIS_URL"
# Code that the server's error begins with -> what it means, and the fix.
_MEANINGS: Final = {
    "OOM": "is out of memory (maxmemory with noeviction). Raise maxmemory, or shorten the lists' time to live",
    "READONLY": "is a read-only replica. Let FRESHET_REDIS_URL name the primary",
    "MASTERDOWN": "is a replica that has lost its primary. Let FRESHET_REDIS_URL name the primary",
    "MISCONF": "refuses writes because it cannot save to its disk. Free its disk, or look into the server's log",
    "LOADING": "is still loading its data. It is tried again; wait until it is up",
    "NOAUTH": "wants a login. Set FRESHET_REDIS_USERNAME and FRESHET_REDIS_PASSWORD_FILE",
    "WRONGPASS": "refuses the login. Check FRESHET_REDIS_USERNAME and the password (FRESHET_REDIS_PASSWORD_FILE, "
    "FRESHET_REDIS_PASSWORD, or in FRESHET_REDIS_URL)",
    "NOPERM": "does not permit a command or key to this user. Give it the least rule of `freshet topics --print`",
    "CROSSSLOT": f"is a node of a Redis Cluster. {_OF_CLUSTER}",
    "MOVED": f"is one of several nodes of a Redis Cluster. {_OF_CLUSTER}",
    "CLUSTERDOWN": "belongs to a cluster that does not serve all slots. Start the node that is away, give primaries "
    "replicas, or set cluster-require-full-coverage no, so that one node's failure does not stop the others",
    "TRYAGAIN": "is moving this slot to another node. It is tried again",
    "WRONGTYPE": "holds a value of another type under one of our keys. Delete that key, or use another namespace",
    "UNKNOWN": "does not know a command. Use Redis 7.0, Valkey 7.2, or newer",
}
_NO_TLS: Final = "does not speak TLS on this port. Write redis:// in place of rediss://, or name its TLS port"
# Words in what TLS says -> what it means, and the fix; the first that fits.
_TLS: Final = {
    "Hostname mismatch": "has a certificate for another host name. Use the name in the certificate, or have one made "
    "for this name (nodes of a cluster: cluster-announce-hostname and cluster-preferred-endpoint-type hostname)",
    "IP address mismatch": "has a certificate that does not name this IP address. Use the host name in the "
    "certificate (nodes of a cluster: cluster-announce-hostname and cluster-preferred-endpoint-type hostname)",
    "certificate has expired": "has a certificate that has expired. Renew it",
    "CERTIFICATE_VERIFY_FAILED": "has a certificate of a CA that is not trusted. Let FRESHET_REDIS_CA_FILE name the "
    "PEM file of its CA",
    "CERTIFICATE_REQUIRED": "wants a client certificate. Set FRESHET_REDIS_CERTIFICATE_FILE and FRESHET_REDIS_KEY_FILE",
    "UNKNOWN_CA": "does not trust the CA of the client certificate. Let FRESHET_REDIS_CERTIFICATE_FILE name one of a "
    "CA that it trusts",
    "HANDSHAKE_FAILURE": "refuses this client: no certificate, or none that it takes. Check "
    "FRESHET_REDIS_CERTIFICATE_FILE and FRESHET_REDIS_KEY_FILE",
    "WRONG_VERSION_NUMBER": _NO_TLS,
    "record layer failure": _NO_TLS,
}
# Those that say something about the server, not about one command or key.
_OF_A_SERVER: Final = {"OOM", "READONLY", "MASTERDOWN", "MISCONF", "LOADING", "CLUSTERDOWN"}
_OF_A_REPLICA: Final = {"READONLY", "MASTERDOWN"}


def masked(url: str) -> str:
    """The URL with `***` for its password, fit for messages and logs.

    Examples
    --------
    >>> masked("redis://writer:s3cret@cache:6379/0")
    'redis://writer:***@cache:6379/0'
    """
    url = re.sub(r"://([^:@/]*):.*@", r"://\1:***@", url, flags=re.DOTALL)
    return re.sub(r"([?&](?:ssl_)?password=)[^&]*", r"\1***", url)


def bad_url(url: str) -> SettingsError:
    """Error for a URL that cannot be read; the cause is left out, because it may quote the password."""
    return SettingsError(
        f"Redis URL {masked(url)!r} cannot be read. Use redis://[user:password@]host:port/db, rediss:// for TLS, "
        "unix:///path for a socket, redis+cluster://host:port,host:port for a cluster or "
        "redis+sentinel://host:port,host:port/primary for sentinels, with special characters in the password written "
        "as %XX, e.g. redis://localhost:6379/0."
    )


def explained(error: Exception, url: str, timeout_s: float, secrets: Sequence[str] = ()) -> ServiceError:
    """The failure of a command as a `ServiceError` (`FunctionsMissing` if that is what it is).

    Parameters
    ----------
    secrets
        Passwords, shown as `***` should what was said quote them.
    """
    text = without(secrets, " ".join(str(error).split()))[:300]
    where = f"Redis at {masked(url)}"
    if "Function not found" in text:
        return FunctionsMissing(f"{where} does not know the functions of this release; they are loaded at connect.")
    if isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
        return ServiceError(
            f"{where} did not answer within {timeout_s:g} s. It is tried again; "
            "if this goes on, check the server's load (SLOWLOG) and the network"
            f"{', and whether this port speaks TLS' if url.startswith('rediss') else ''}."
        )
    if isinstance(error, MasterNotFoundError | AsyncMasterNotFoundError):
        return ServiceError(f"{where}: no sentinel names a primary that is up. {_advice_on_sentinels(str(error))}")
    meaning = _MEANINGS.get(_code(error, text))
    if meaning is not None:
        return ServiceError(f"{where} {meaning}. It said: {text}")
    if isinstance(error, redis.exceptions.ConnectionError | OSError):
        refused = next((_TLS[words] for words in _TLS if words in text or words in str(error.__cause__)), None)
        if refused is not None:
            return ServiceError(f"{where} {refused}. TLS said: {text}")
        hint = _hint(url) if re.search("closed|reset", text, re.IGNORECASE) else ""
        return ServiceError(f"{where} cannot be reached: {text}. {hint}Start it, or check FRESHET_REDIS_URL.")
    return ServiceError(f"{where} refused a command: {text}. Look into the server's log.")


def _hint(url: str) -> str:
    """What a connection that was closed without a word may mean."""
    if url.startswith("rediss"):
        return (
            "If it wants a client certificate, or another one, set FRESHET_REDIS_CERTIFICATE_FILE and "
            "FRESHET_REDIS_KEY_FILE. "
        )
    return "If this port wants TLS, write rediss:// in place of redis://. "


def without(secrets: Sequence[str], text: str) -> str:
    """The text with `***` for each of the secrets."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def _advice_on_sentinels(said: str) -> str:
    if "AuthenticationError" in said or "NOAUTH" in said:
        return "They want a login: set FRESHET_REDIS_SENTINEL_PASSWORD_FILE, and FRESHET_REDIS_SENTINEL_USERNAME."
    tls = next((_TLS[words] for words in _TLS if words in said), None)
    if tls is not None:
        return f"One of them {tls}."
    away = "At least one of them cannot be reached: start it, or check the hosts in FRESHET_REDIS_URL. "
    name = "Wait for a failover to end, or check the primary's name in FRESHET_REDIS_URL (redis+sentinel://host/NAME)."
    return (away if "Error" in said else "") + name


def is_a_replicas(reply: object) -> bool:
    """Whether a reply is that of a server which is no primary any more: the URL's name may lead to another by now."""
    return isinstance(reply, Exception) and _code(reply, str(reply)) in _OF_A_REPLICA


def is_of_the_server(reply: Exception) -> bool:
    """Whether a reply says that the server as a whole does not do now what it was asked."""
    return _code(reply, str(reply)) in _OF_A_SERVER


def is_missing_function(reply: object) -> bool:
    """Whether a reply is that of a server which does not know our functions."""
    return isinstance(reply, Exception) and "Function not found" in str(reply)


def _code(error: Exception, text: str) -> str:
    # redis-py takes the code off the errors that it knows, and "ERR" off none of the others
    code: str = getattr(error, "status_code", None) or text.partition(" ")[0]
    if code == "ERR" and text.removeprefix("ERR ").startswith("unknown command"):
        return "UNKNOWN"
    if "ACL failure in script" in text:
        return "NOPERM"
    return code
