"""The least that Redis has to permit to those who write the view, and to those who read it."""

from typing import Final

from tables.keys import Keys

# What a client sends by itself at connect; a server that forbids it is not asked twice, but notes it in its ACL LOG.
_CONNECT: Final = ("client|setinfo",)
_IN_A_CLUSTER: Final = ("cluster|slots", "asking")
_WORKER: Final = (
    *("function|load", "fcall", "info", "del"),
    # run inside the functions, and GET and SET by `freshet doctor` and `freshet reset` too
    *("get", "getrange", "set", "zadd", "hget", "hset", "hdel", "expire"),
)
_READER: Final = ("get", "zrange", "hget", "hgetall")


def worker_acl(keys: Keys, *, user: str = "freshet-worker", cluster: bool = False, database: int = 0) -> str:
    """The `ACL SETUSER` line for workers, `freshet doctor` and `freshet reset`; put a password for PASSWORD.

    Examples
    --------
    >>> worker_acl(Keys("shop"))[:63]
    'ACL SETUSER freshet-worker reset on >PASSWORD ~shop:recs:* ~sho'
    """
    patterns = [f"~{pattern}" for pattern in keys.written_patterns()]
    return _line(user, patterns, _WORKER, cluster=cluster, database=database)


def reader_acl(keys: Keys, *, user: str = "freshet-reader", cluster: bool = False, database: int = 0) -> str:
    """The `ACL SETUSER` line for frontends, `freshet recs`, `similar` and `trending`; put a password for PASSWORD.

    Examples
    --------
    >>> reader_acl(Keys())
    'ACL SETUSER freshet-reader reset on >PASSWORD %R~recs:* %R~item_similarity:* %R~trending:* %R~user_features:* \
%R~item_features:* -@all +get +zrange +hget +hgetall +client|setinfo'
    """
    patterns = [f"%R~{pattern}" for pattern in keys.read_patterns()]
    return _line(user, patterns, _READER, cluster=cluster, database=database)


def _line(user: str, patterns: list[str], commands: tuple[str, ...], *, cluster: bool, database: int) -> str:
    chosen = (*commands, *_CONNECT, *(_IN_A_CLUSTER if cluster else ()), *(("select",) if database else ()))
    allowed = [f"+{command}" for command in chosen]
    return " ".join([f"ACL SETUSER {user} reset on >PASSWORD", *patterns, "-@all", *allowed])
