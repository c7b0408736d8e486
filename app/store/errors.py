"""What went wrong with Redis, in words for the one who runs it."""

import re
from typing import Final

import redis

from models.errors import ServiceError, SettingsError


class FunctionsMissing(ServiceError):
    """The server does not know our function library: it is new, was restarted empty, or had its functions flushed."""


_NO_CLUSTER: Final = (
    ", which is not supported yet. Let FRESHET_REDIS_URL name a primary that is no cluster (cluster-enabled no), with "
    "replicas if it must not be lost"
)
# Code that the server's error begins with -> what it means, and the fix.
_MEANINGS: Final = {
    "OOM": "is out of memory (maxmemory with noeviction). Raise maxmemory, or shorten the lists' time to live",
    "READONLY": "is a read-only replica. Let FRESHET_REDIS_URL name the primary",
    "MASTERDOWN": "is a replica that has lost its primary. Let FRESHET_REDIS_URL name the primary",
    "MISCONF": "refuses writes because it cannot save to its disk. Free its disk, or look into the server's log",
    "LOADING": "is still loading its data. It is tried again; wait until it is up",
    "NOAUTH": "wants a login. Put it into FRESHET_REDIS_URL: redis://user:password@host:6379/0",
    "WRONGPASS": "refuses the login. Check user and password in FRESHET_REDIS_URL",
    "NOPERM": "does not permit a command or key to this user. Grant what `app.store.Store` lists to the user's ACL",
    "CROSSSLOT": f"is a node of a Redis Cluster{_NO_CLUSTER}",
    "MOVED": f"is one of several nodes of a Redis Cluster{_NO_CLUSTER}",
    "WRONGTYPE": "holds a value of another type under one of our keys. Delete that key, or use another namespace",
    "UNKNOWN": "does not know a command. Use Redis 7.0, Valkey 7.2, or newer",
}
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
        f"Redis URL {masked(url)!r} cannot be read. Use redis://[user:password@]host:port/db, rediss:// for TLS or "
        "unix:///path for a socket, with special characters in the password written as %XX, "
        "e.g. redis://localhost:6379/0."
    )


def explained(error: Exception, url: str, timeout_s: float) -> ServiceError:
    """The failure of a command as a `ServiceError` (`FunctionsMissing` if that is what it is)."""
    text = " ".join(str(error).split())[:300]
    where = f"Redis at {masked(url)}"
    if "Function not found" in text:
        return FunctionsMissing(f"{where} does not know the functions of this release; they are loaded at connect.")
    if isinstance(error, TimeoutError | redis.exceptions.TimeoutError):
        return ServiceError(
            f"{where} did not answer within {timeout_s:g} s. It is tried again; "
            "if this goes on, check the server's load (SLOWLOG) and the network."
        )
    meaning = _MEANINGS.get(_code(error, text))
    if meaning is not None:
        return ServiceError(f"{where} {meaning}. It said: {text}")
    if isinstance(error, redis.exceptions.ConnectionError | OSError):
        return ServiceError(f"{where} cannot be reached: {text}. Start it, or check FRESHET_REDIS_URL.")
    return ServiceError(f"{where} refused a command: {text}. Look into the server's log.")


def is_a_replicas(reply: object) -> bool:
    """Whether a reply is that of a server which is no primary any more: the URL's name may lead to another by now."""
    return isinstance(reply, Exception) and _code(reply, str(reply)) in _OF_A_REPLICA


def _code(error: Exception, text: str) -> str:
    # redis-py takes the code off the errors that it knows, and "ERR" off none of the others
    code: str = getattr(error, "status_code", None) or text.partition(" ")[0]
    if code == "ERR" and text.removeprefix("ERR ").startswith("unknown command"):
        return "UNKNOWN"
    return code
