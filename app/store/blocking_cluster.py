"""A Redis Cluster for threads: one plain pipeline per node, sent to all before the first reply is read."""

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from redis.exceptions import AskError, MovedError

from app.store.access import Host, RedisAccess
from app.store.connect import Command, Connection
from app.store.errors import explained
from app.store.nodes import access_of_node, not_served
from app.store.slots import Slots, key_of, slot_of, slots_of
from models.errors import ServiceError

AWAY_S: Final = 1.0  # a node that failed is not asked again for so long


class BlockingCluster:
    """Sends each command, of one key, to the node that holds the key (thread-safe).

    Parameters
    ----------
    timeout_s
        Longest wait for connecting to a node and for a reply.
    """

    def __init__(self, access: RedisAccess, *, timeout_s: float) -> None:
        self._access = access
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._nodes: dict[Host, Connection] = {}
        self._away: dict[Host, tuple[float, ServiceError]] = {}
        self._slots: Slots | None = None

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """Commands, each with a reply.

        Raises
        ------
        ServiceError
            If any of them failed.
        """
        replies = self.run_each(commands)
        for reply in replies:
            if isinstance(reply, ServiceError):
                raise reply
        return replies

    def run_each(self, commands: Sequence[Command]) -> list[Any]:
        """Commands; a reply or a `ServiceError` for each.

        Raises
        ------
        ServiceError
            If all of them failed.
        """
        slots = self._slots or self.learn()
        keys = [slot_of(key_of(command)) for command in commands]
        replies: list[Any] = [None] * len(commands)
        before = [slots.primary_of[slot] for slot in keys]
        self._send(commands, range(len(commands)), before, replies)
        again = [number for number, reply in enumerate(replies) if isinstance(reply, Exception)]
        if again:
            slots = self._learned_or(slots)
            hosts = list(before)
            for number in again:
                reply, hosts[number] = replies[number], slots.primary_of[keys[number]]
                if isinstance(reply, AskError):
                    replies[number] = self._ask((reply.host, int(reply.port)), commands[number])
                    hosts[number] = before[number]
                elif isinstance(reply, MovedError) and hosts[number] == before[number]:
                    hosts[number] = (reply.host or self._access.hosts[0][0], int(reply.port))
            self._send(commands, [n for n in again if hosts[n] != before[n]], hosts, replies)
            for number in again:
                if isinstance(replies[number], Exception) and not isinstance(replies[number], ServiceError):
                    replies[number] = explained(replies[number], self._access.shown, self._timeout_s)
        if replies and all(isinstance(reply, ServiceError) for reply in replies):
            raise replies[0]
        return replies

    def learn(self) -> Slots:
        """Ask for the cluster's shape.

        Raises
        ------
        ServiceError
            If no node answers.
        """
        error: ServiceError | None = None
        hosts = list(dict.fromkeys((*self._nodes, *self._access.hosts)))
        for host in sorted(hosts, key=self._doubt):
            try:
                (reply,) = self._node(host).run([("CLUSTER", "SLOTS")])
            except ServiceError as failed:
                error = error or failed
                continue
            slots = self._slots = slots_of(reply, host)
            return slots
        raise error or ServiceError(f"Redis at {self._access.shown} names no node.")

    def nodes(self) -> list[tuple[Connection, int]]:
        """Every primary, and the lowest slot that it holds.

        Raises
        ------
        ServiceError
            If no node answers.
        """
        return [(self._node(host), slot) for host, slot in self.learn().first_slots.items()]

    def close(self) -> None:
        """Close all connections."""
        for node in self._nodes.values():
            node.close()

    def _doubt(self, host: Host) -> tuple[bool, bool]:
        """Those whose word counts least come last: one that has just come back may think that all is as it was."""
        until, _ = self._away.get(host, (0.0, None))
        return time.monotonic() < until, self._slots is not None and host not in self._slots.first_slots

    def _learned_or(self, slots: Slots) -> Slots:
        try:
            return self.learn()
        except ServiceError:
            return slots

    def _node(self, host: Host) -> Connection:
        with self._lock:
            if host not in self._nodes:
                self._access.check_host(host[0])
                self._nodes[host] = Connection(access_of_node(self._access, host), timeout_s=self._timeout_s)
            return self._nodes[host]

    def _send(
        self, commands: Sequence[Command], numbers: Sequence[int], hosts: Sequence[Host | None], replies: list[Any]
    ) -> None:
        """Put a reply, a `ServiceError`, or where to go instead, in the place of each of the commands."""
        groups: dict[Host, list[int]] = {}
        for number in numbers:
            host = hosts[number]
            if host is None:
                replies[number] = not_served(self._access)
            else:
                groups.setdefault(host, []).append(number)
        begun = [(host, some, self._begin(host, [commands[n] for n in some])) for host, some in groups.items()]
        for host, some, read in begun:
            node = self._node(host)
            try:
                found = read()
            except ServiceError as error:
                self._away[host] = (time.monotonic() + AWAY_S, error)
                found = [error] * len(some)
            for number, reply in zip(some, found, strict=True):
                is_final = isinstance(reply, Exception) and not isinstance(reply, MovedError | AskError | ServiceError)
                replies[number] = node.explained(reply) if is_final else reply

    def _ask(self, host: Host, command: Command) -> Any:
        """A key on its way to another node: it takes a command there after being told so."""
        node = self._node(host)
        try:
            _, reply = node.begin([("ASKING",), command])()
        except ServiceError as error:
            return error
        return node.explained(reply) if isinstance(reply, Exception) else reply

    def _begin(self, host: Host, commands: Sequence[Command]) -> Callable[[], list[Any]]:
        """Send the commands; what is returned reads the replies, or raises why there are none."""
        until, failure = self._away.get(host, (0.0, None))
        try:
            if failure is not None and time.monotonic() < until:
                raise failure
            return self._node(host).begin(commands)
        except ServiceError as error:
            if failure is None or error is not failure:
                self._away[host] = (time.monotonic() + AWAY_S, error)
            return partial(_raise, error)


def _raise(error: ServiceError) -> list[Any]:
    raise error
