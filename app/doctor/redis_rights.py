"""What workers do in Redis, done once with keys that no event can name, to see whether it is permitted."""

import re
from collections.abc import Iterator

from app.doctor.finding import Finding
from app.store import functions
from app.store.access import RedisAccess
from app.store.acl import worker_acl
from app.store.connect import Command, Connection
from app.store.functions import HashChange
from app.store.hashes import STAMP, whole
from app.store.slots import key_of, tag_in
from tables.keys import Keys

TTL_S = 10


def check_rights(server: Connection, slot: int, run_id: str, access: RedisAccess, keys: Keys) -> list[Finding]:
    """Everything that this user may not do at one server, with keys in a slot of its own."""
    commands = list(work(keys, run_id, f"{{{tag_in(slot)}}}"))
    missing: dict[str, None] = {}
    others: dict[str, None] = {}
    for command, reply in zip(commands, server.begin(commands)(), strict=True):
        if isinstance(reply, Exception):
            lacks = lacking(str(reply), command, keys)
            (missing if lacks else others)[lacks or str(server.explained(reply))] = None
    findings = [Finding("Redis", "wrong", error) for error in others]
    if missing:
        user = access.login.get("username", "default")
        found = f"{server.shown}: user {user} lacks {' '.join(missing)}"
        findings.append(Finding("Redis", "wrong", found, rule_for(access, keys, " ".join(missing))))
    return findings


def rule_for(access: RedisAccess, keys: Keys, missing: str) -> str:
    """What grants it, and everything that a worker needs."""
    user = access.login.get("username", "default")
    least = worker_acl(keys, cluster=access.mode == "cluster", database=access.db)
    return f"Run: ACL SETUSER {user} {missing} (the least rule for workers: {least})"


def lacking(said: str, command: Command, keys: Keys) -> str:
    """The part of an ACL rule whose lack made the server refuse a command; empty if it refused for another reason."""
    if found := re.search(r"no permissions to run the '([^']+)' command", said):
        return f"+{found[1]}"
    if "permission" in said and "key" in said:
        key = str(key_of(command))
        return next((f"~{glob}" for glob in keys.written_patterns() if key.startswith(glob.rstrip("*"))), "")
    return ""


def work(keys: Keys, run_id: str, probe: str) -> Iterator[Command]:
    """One of each command, in the order in which workers come to them; nothing stays.

    Parameters
    ----------
    probe
        In place of an id: with braces, so it can be nobody's.
    """
    user_list, sentinel = keys.user_list(probe), f"{keys.doctor_probe()}:{probe}"
    sets = (keys.item_similarity(probe), keys.trending("1h", probe))
    hashes = (keys.user_features(probe), keys.item_features(probe))
    yield from functions.load_libraries()
    yield functions.publish_lists([(user_list, b"doctor" * 10)], TTL_S)
    yield ("GET", user_list)
    yield ("GETRANGE", user_list, 0, 0)
    for key in sets:
        yield functions.replace_sorted_sets([(key, {"a": 1.0})], TTL_S)
    for key in hashes:
        yield ("HGET", key, STAMP)
        yield functions.write_hashes([whole(key, {STAMP: 1, "a": 1})], TTL_S)
        yield functions.write_hashes([HashChange(key, "1", {STAMP: 2}, ["a"])], TTL_S)
    yield functions.look_at_sentinel(sentinel, run_id, "doctor")
    for key in (user_list, *sets, *hashes, sentinel):
        yield ("DEL", key)
