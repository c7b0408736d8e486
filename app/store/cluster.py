"""A Redis Cluster for coroutines: one plain pipeline per node, and each node fails for itself.

redis-py's own cluster pipeline waits for a dead node through all its retries and then raises, although the healthy
ones have stored what they were sent; its clients of single servers serve here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from redis.exceptions import AskError, MovedError, TryAgainError

from app.store.access import Host, RedisAccess
from app.store.connect import AsyncConnection, Command
from app.store.errors import explained, is_of_the_server
from app.store.nodes import Node, Nodes, not_served
from app.store.server import Place
from app.store.slots import key_of, slot_of, tag_in
from models.errors import ServiceError

Send = Callable[[Node, Sequence[Command]], Awaitable[list[Any]]]
N_TRIES_AT_A_NODE = 3  # fit into the deadline: a call, a look at the cluster's shape, and a second call


class AsyncCluster:
    """Sends each command, of one key, to the node that holds the key.

    Parameters
    ----------
    probe
        Beginning of keys that may be read.
    emptied
        Called when a node has lost our functions.
    """

    def __init__(
        self,
        access: RedisAccess,
        *,
        probe: str,
        timeout_s: float,
        deadline_s: float,
        emptied: Callable[[], None] = lambda: None,
    ) -> None:
        share_s = deadline_s / N_TRIES_AT_A_NODE
        self._access = access
        self._timeout_s = min(timeout_s, share_s)
        self._nodes = Nodes(access, probe=probe, timeout_s=self._timeout_s, deadline_s=share_s, emptied=emptied)

    @property
    def is_partial(self) -> bool:
        """Whether some keys cannot be written at the moment."""
        return self._nodes.is_partial

    @property
    def n_changes(self) -> int:
        """Grows whenever what could not be written is worth another try."""
        return self._nodes.n_changes

    def takes(self, key: str) -> bool:
        """Whether a write of a key is worth trying."""
        slots = self._nodes.slots
        if slots is None:
            return True
        host = slots.primary(key)
        return host is not None and self._nodes.node(host).failure is None

    async def connect(self) -> None:
        """Load the functions on every node that answers.

        Raises
        ------
        ServiceError
            If none does.
        """
        await self._nodes.learn()
        await asyncio.gather(*[self._load(node) for node in self._nodes.primaries])
        self._raise_if_all_failed()

    async def _load(self, node: Node) -> None:
        try:
            await node.connect()
        except ServiceError as error:
            self._nodes.failed(node, error)

    async def call(self, commands: Sequence[Command]) -> list[Any]:
        """Function calls; a reply, as it came, or a `ServiceError` for each.

        Raises
        ------
        ServiceError
            If no node is left.
        """
        return await self._each(commands, lambda node, part: node.call_each(part))

    async def run_each(self, commands: Sequence[Command]) -> list[Any]:
        """Commands; a reply or a `ServiceError` for each.

        Raises
        ------
        ServiceError
            If all of them failed.
        """
        replies = await self._each(commands, lambda node, part: node.connection.run_raw(part))
        if replies and all(isinstance(reply, ServiceError) for reply in replies):
            raise replies[0]
        return replies

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Commands, each with a reply.

        Raises
        ------
        ServiceError
            If any of them failed.
        """
        replies = await self.run_each(commands)
        for reply in replies:
            if isinstance(reply, ServiceError):
                raise reply
        return replies

    async def servers(self) -> Sequence[AsyncConnection]:
        """Every server that holds keys.

        Raises
        ------
        ServiceError
            If no node answers.
        """
        await self._nodes.learn()
        return [node.connection for node in self._nodes.primaries]

    async def places(self, key: str) -> list[Place]:
        """Every node that may lose its data, with the key of a mark that lies in its lowest slot.

        Raises
        ------
        ServiceError
            If no node answers.
        """
        slots = await self._nodes.learn()
        return [(f"{key}:{{{tag_in(slot)}}}", self._nodes.node(host)) for host, slot in slots.first_slots.items()]

    async def close(self) -> None:
        """Close all connections."""
        await self._nodes.close()

    async def _each(self, commands: Sequence[Command], send: Send) -> list[Any]:
        slots = self._nodes.slots or await self._nodes.learn()
        keys = [slot_of(key_of(command)) for command in commands]
        replies: list[Any] = [None] * len(commands)
        before = [slots.primary_of[slot] for slot in keys]
        await self._send(commands, _grouped(range(len(commands)), before), send, replies)
        again = [number for number, reply in enumerate(replies) if isinstance(reply, Exception)]
        if again:
            slots = await self._learned_or(slots)
            hosts: list[Host | None] = [*before]
            asking: dict[Host, list[int]] = {}
            for number in again:
                reply, hosts[number] = replies[number], slots.primary_of[keys[number]]
                if isinstance(reply, AskError):
                    asking.setdefault((reply.host, int(reply.port)), []).append(number)
                elif isinstance(reply, MovedError) and hosts[number] == before[number]:
                    hosts[number] = (reply.host or (hosts[number] or ("", 0))[0], int(reply.port))
            moved = [n for n in again if hosts[n] != before[n] and not isinstance(replies[n], AskError)]
            await asyncio.gather(
                self._send(commands, _grouped(moved, hosts), send, replies),
                *[self._ask(commands, host, numbers, send, replies) for host, numbers in asking.items()],
            )
            for number in again:
                if isinstance(replies[number], Exception) and not isinstance(replies[number], ServiceError):
                    replies[number] = explained(TryAgainError("", status_code="TRYAGAIN"), self._access.shown, 0.0)
        self._raise_if_all_failed()
        if replies and not self._nodes.is_partial and all(isinstance(reply, ServiceError) for reply in replies):
            raise replies[0]  # all are there, and none does it
        return replies

    def _raise_if_all_failed(self) -> None:
        if failure := self._nodes.all_failed:
            raise failure

    async def _learned_or(self, slots: Any) -> Any:
        try:
            return await self._nodes.learn()
        except ServiceError:
            return slots

    async def _send(
        self, commands: Sequence[Command], groups: dict[Host | None, list[int]], send: Send, replies: list[Any]
    ) -> None:
        """One pipeline for each node, side by side; a `ServiceError`, or where to go instead, for what failed."""
        for number in groups.pop(None, ()):
            replies[number] = not_served(self._access)
            self._nodes.watch()
        parts = [[commands[number] for number in numbers] for numbers in groups.values()]
        nodes = [self._nodes.node(host) for host in groups if host is not None]
        if len(nodes) == 1:
            found = [await self._of_node(nodes[0], parts[0], send)]
        else:
            found = await asyncio.gather(*[self._of_node(*each, send) for each in zip(nodes, parts, strict=True)])
        for numbers, some in zip(groups.values(), found, strict=True):
            for number, reply in zip(numbers, some, strict=True):
                replies[number] = reply

    async def _ask(
        self, commands: Sequence[Command], host: Host, numbers: list[int], send: Send, replies: list[Any]
    ) -> None:
        """Slots on their way to another node: it takes a command there after being told so."""
        part = [each for number in numbers for each in (("ASKING",), commands[number])]
        found = await self._of_node(self._nodes.node(host), part, send)
        for number, reply in zip(numbers, found[1::2], strict=True):
            replies[number] = reply

    async def _of_node(self, node: Node, commands: Sequence[Command], send: Send) -> list[Any]:
        if node.failure is not None:
            return [node.failure] * len(commands)
        try:
            replies = await send(node, commands)
        except ServiceError as error:
            self._nodes.failed(node, error)
            return [error] * len(commands)
        for number, reply in enumerate(replies):
            if isinstance(reply, Exception) and not isinstance(reply, MovedError | AskError):
                refused = replies[number] = explained(reply, node.shown, self._timeout_s, self._access.secrets)
                (self._nodes.failed if is_of_the_server(reply) else self._nodes.refused)(node, refused)
        return replies


def _grouped(numbers: Sequence[int], hosts: Sequence[Host | None]) -> dict[Host | None, list[int]]:
    groups: dict[Host | None, list[int]] = {}
    for number in numbers:
        groups.setdefault(hosts[number], []).append(number)
    return groups
