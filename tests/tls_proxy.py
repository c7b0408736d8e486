"""TLS in front of a server that speaks none, with certificates of this test's own."""

import asyncio
import contextlib
import gc
import ssl
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from app.local.ports import HOST


@dataclass(frozen=True)
class Certificates:
    """PEM files: a CA, a server's certificate for `localhost` alone, a client's, and a CA that nobody knows."""

    ca_file: str
    other_ca_file: str
    server_file: str
    client_file: str
    client_key_file: str
    other_client_file: str


def certificates(folder: Path) -> Certificates:
    """Make them."""
    ca, other = trustme.CA(), trustme.CA()
    server, client, stranger = ca.issue_cert("localhost"), ca.issue_cert("worker"), other.issue_cert("worker")
    names = ("ca", "other-ca", "server", "client", "client-key", "other-client")
    paths = [folder / f"{name}.pem" for name in names]
    ca.cert_pem.write_to_path(str(paths[0]))
    other.cert_pem.write_to_path(str(paths[1]))
    server.private_key_and_cert_chain_pem.write_to_path(str(paths[2]))
    client.cert_chain_pems[0].write_to_path(str(paths[3]))
    client.private_key_pem.write_to_path(str(paths[4]))
    stranger.private_key_and_cert_chain_pem.write_to_path(str(paths[5]))
    return Certificates(*map(str, paths))


def forget_connections() -> None:
    """Free what hangs on ended event loops, or a later test is told of it.

    redis-py does not wait for the other side's goodbye when a login fails; under TLS the loop may end before it comes.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class TlsProxy:
    """Takes TLS connections on a free port and carries what they hold to a port without TLS.

    Parameters
    ----------
    client_certificates
        Whether a client has to show one of the CA.
    """

    def __init__(self, port: int, files: Certificates, *, client_certificates: bool = False) -> None:
        self._target = port
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(files.server_file)
        if client_certificates:
            self._context.load_verify_locations(files.ca_file)
            self._context.verify_mode = ssl.CERT_REQUIRED
        self.port = 0

    async def _carry(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(HOST, self._target)

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, ssl.SSLError):
                while data := await source.read(65_536):
                    target.write(data)
                    await target.drain()

        both = [asyncio.create_task(copy(client, to_server)), asyncio.create_task(copy(server, to_client))]
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            for end in (to_server, to_client):
                end.close()
                with contextlib.suppress(OSError, ssl.SSLError):
                    await end.wait_closed()

    async def _serve(self, ready: threading.Event, ended: asyncio.Event) -> None:
        connections: set[asyncio.Task[None]] = set()

        def lead(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self._carry(client, to_client))
            connections.add(task)
            task.add_done_callback(connections.discard)

        async with await asyncio.start_server(lead, HOST, 0, ssl=self._context) as listener:
            self.port = listener.sockets[0].getsockname()[1]
            ready.set()
            await ended.wait()
        for task in connections:
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    @contextlib.contextmanager
    def running(self) -> Iterator["TlsProxy"]:
        """Serve, in a thread, as long as the block lasts."""
        ready, loop, ended = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
        thread = threading.Thread(target=lambda: loop.run_until_complete(self._serve(ready, ended)), daemon=True)
        thread.start()
        assert ready.wait(10)
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(10)
            loop.close()
            forget_connections()
