"""The nodes of a cluster as one worker or reader sees them: who holds which slot, and who is away."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Callable
from typing import Final

from redis.exceptions import ClusterDownError

from app.store.access import Host, RedisAccess
from app.store.connect import AsyncConnection
from app.store.errors import explained
from app.store.server import OneServer
from app.store.slots import Slots, slots_of, tag_in
from models.errors import ServiceError, SettingsError

logger = logging.getLogger("freshet")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 4.0
CALM_S: Final = 10.0  # a node that fails again within is asked less and less often
TOLD_S: Final = 60.0


class Node(OneServer):
    """One primary; `failure` is why nothing is sent to it at the moment."""

    def __init__(self, connection: AsyncConnection, emptied: Callable[[], None], host: Host) -> None:
        super().__init__(connection, emptied)
        self.host = host
        self.shown = connection.shown
        self.failure: ServiceError | None = None
        self.told_at = -TOLD_S


class Nodes:
    """Learns the cluster's shape from any node that answers, and watches those that do not.

    Nothing is sent to a node that has failed: a task asks it in growing intervals until it answers, or until another
    node has its slots. So one that is frozen holds up a call or two, and no more.

    Parameters
    ----------
    probe
        Beginning of a key that may be read, to see whether a node is back.
    deadline_s
        Longest time for the calls to one node.
    """

    def __init__(
        self, access: RedisAccess, *, probe: str, timeout_s: float, deadline_s: float, emptied: Callable[[], None]
    ) -> None:
        self._access = access
        self._probe = probe
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._emptied = emptied
        self._nodes: dict[Host, Node] = {}
        self._learning: asyncio.Task[Slots | ServiceError | SettingsError] | None = None
        self._watching: asyncio.Task[None] | None = None
        self._pause_s = FIRST_PAUSE_S
        self._has_refused = False
        self._recovered_at = -CALM_S
        self.slots: Slots | None = None
        self.n_changes = 0  # of what can be reached: grows whenever something is worth another try

    def node(self, host: Host) -> Node:
        """The node at an address.

        Raises
        ------
        SettingsError
            If a password would go there unencrypted.
        """
        found = self._nodes.get(host)
        if found is None:
            self._access.check_host(host[0])
            access = access_of_node(self._access, host)
            connection = AsyncConnection(access, timeout_s=self._timeout_s, deadline_s=self._deadline_s)
            found = self._nodes[host] = Node(connection, self._emptied, host)
        return found

    @property
    def primaries(self) -> list[Node]:
        """All that hold slots, as far as is known."""
        return [] if self.slots is None else [self.node(host) for host in self.slots.first_slots]

    @property
    def is_partial(self) -> bool:
        """Whether some keys cannot be written."""
        return self.slots is not None and (self.slots.n_uncovered > 0 or any(node.failure for node in self.primaries))

    @property
    def all_failed(self) -> ServiceError | None:
        """A failure, if no primary is left."""
        failures = [node.failure for node in self.primaries]
        return failures[0] if failures and all(failures) else None

    async def learn(self) -> Slots:
        """Ask for the cluster's shape; those who ask at the same time share the answer.

        Raises
        ------
        ServiceError
            If no node answers.
        SettingsError
            If a password would go to one of them unencrypted.
        """
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._learn())
        found = await asyncio.shield(self._learning)
        if isinstance(found, Exception):
            raise found
        return found

    async def _learn(self) -> Slots | ServiceError | SettingsError:
        known = [*self._nodes.values(), *(self.node(host) for host in self._access.hosts if host not in self._nodes)]
        error: ServiceError | None = None
        for node in sorted(known, key=self._doubt):
            try:
                (reply,) = await node.connection.call([("CLUSTER", "SLOTS")])
                found = slots_of(reply, node.host)
                for host in found.first_slots:
                    self.node(host)
            except SettingsError as refused:
                return refused
            except ServiceError as failed:
                error = error or failed
            else:
                if found != self.slots:
                    self.slots = found
                    self.n_changes += 1
                    await self._let_go(found)
                return found
        return error or ServiceError(f"Redis at {self._access.shown} names no node.")

    def _doubt(self, node: Node) -> tuple[bool, bool]:
        """Those whose word counts least come last: one that has just come back may think that all is as it was."""
        return node.failure is not None, self.slots is not None and node.host not in self.slots.first_slots

    async def _let_go(self, slots: Slots) -> None:
        """Forget the failures of nodes that hold nothing any more, and close their connections."""
        for host, node in list(self._nodes.items()):
            if host not in slots.first_slots:
                node.failure = None
                await node.connection.close()

    def failed(self, node: Node, error: ServiceError) -> None:
        """Take note that a node did not do what it was asked."""
        if node.failure is None:
            node.failure = error
            now = time.monotonic()
            if now - self._recovered_at > CALM_S:
                self._pause_s = FIRST_PAUSE_S
            if now - node.told_at > TOLD_S:
                node.told_at = now
                logger.warning("%s Its keys wait; other nodes go on.", error)
        self.watch()

    def refused(self, node: Node, error: ServiceError) -> None:
        """Take note that a node does not do one command, or not with one key; it is worth another try after a while."""
        now = time.monotonic()
        if now - node.told_at > TOLD_S:
            node.told_at = now
            logger.warning("%s The key waits; others go on.", error)
        self._has_refused = True
        self.watch()

    def watch(self) -> None:
        """See to it that what is away is looked after."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while self.slots is None or self.is_partial or self._has_refused:
            await asyncio.sleep(self._pause_s)
            if self._has_refused:
                self._has_refused = False
                self.n_changes += 1
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            try:
                await self.learn()
            except (ServiceError, SettingsError) as error:
                logger.debug("the cluster does not say who holds what: %s", error)
            await asyncio.gather(*[self._look_after(node) for node in self.primaries if node.failure is not None])

    async def _look_after(self, node: Node) -> None:
        slot = None if self.slots is None else self.slots.first_slots.get(node.host)
        if slot is None:
            return  # its slots were given to another meanwhile
        key = f"{self._probe}:{{{tag_in(slot)}}}"
        try:
            await node.connection.call([("GET", key)])
        except ServiceError as error:
            node.failure = error
            return
        node.failure = None
        self._recovered_at = time.monotonic()
        self.n_changes += 1
        logger.info("Redis at %s answers again", address(node.host))

    async def close(self) -> None:
        """Close all connections."""
        for task in (self._watching, self._learning):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
        for node in self._nodes.values():
            await node.connection.close()


def address(host: Host) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host[0]}]:{host[1]}" if ":" in host[0] else f"{host[0]}:{host[1]}"


def access_of_node(access: RedisAccess, host: Host) -> RedisAccess:
    """How to reach one node of the cluster."""
    shown = f"{'redis' if access.tls is None else 'rediss'}://{address(host)}"
    return dataclasses.replace(access, mode="standalone", hosts=(host,), shown=shown)


def not_served(access: RedisAccess) -> ServiceError:
    """Error for a key whose slot no node holds."""
    return explained(ClusterDownError("Hash slot not served", status_code="CLUSTERDOWN"), access.shown, 0.0)
