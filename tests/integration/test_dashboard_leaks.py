"""Open pages of the dashboard cost their connection alone, and leave nothing when they are closed."""

import asyncio
from collections.abc import Callable

import uvicorn

from app.dashboard.access import COOKIE, Lock
from app.dashboard.create import Dashboard
from app.gateway.protocol import Protocol
from tests.dashboard import PATIENCE_S, TOKEN, configure, send_stream
from tests.scene import Scene

N_PAGES = 200
PATHS = ("/", "/stream", "/quality", "/people?user=user-1", "/items?item=item-1", "/trending", "/dead-letters")


def test_two_hundred_pages_leave_nothing(scene: Scene) -> None:
    """Each gets its page and its changes; then no task, no connection and no open page is left."""
    configure(scene)
    scene.worker()

    async def open_and_close() -> None:
        await send_stream(scene)
        dashboard = Dashboard(scene.settings, TOKEN)
        config = uvicorn.Config(dashboard.app, port=0, http=Protocol, ws="none", log_config=None, access_log=False)
        server = uvicorn.Server(config)
        socket = config.bind_socket()
        serving = asyncio.create_task(server.serve(sockets=[socket]))
        port = socket.getsockname()[1]
        try:
            await until(lambda: bool(dashboard.poller.board.answering) and dashboard.poller.board.log.error is None)
            one = await page(port, "/")
            one.close()
            await until(lambda: dashboard.hub.n_open == 0 and not server.server_state.connections)
            n_tasks = len(asyncio.all_tasks())
            pages = await asyncio.gather(*(page(port, PATHS[n % len(PATHS)]) for n in range(N_PAGES)))
            assert dashboard.hub.n_open == N_PAGES
            assert len(asyncio.all_tasks()) > n_tasks
            for each in pages:
                each.close()
            await until(lambda: dashboard.hub.n_open == 0 and not server.server_state.connections)
            await until(lambda: len(asyncio.all_tasks()) <= n_tasks)
        finally:
            dashboard.poller.ticks.close()
            server.should_exit = True
            await serving

    asyncio.run(open_and_close())


async def page(port: int, path: str) -> asyncio.StreamWriter:
    """Load a page and its first changes, as a browser would; returns the connection, which stays open."""
    shown, connection = await get(port, path)
    assert b"</html>" in await shown.read()
    connection.close()
    where = path.replace("?", "&")
    changes, connection = await get(port, f"/live?page={where}", keep=True)
    await changes.readuntil(b"event: parts\ndata: ")
    return connection


async def get(port: int, path: str, *, keep: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Ask for something with the cookie."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
    cookie = f"Cookie: {COOKIE}={Lock(TOKEN, secure=False).cookie}"
    close = "" if keep else "Connection: close\r\n"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{cookie}\r\n{close}\r\n".encode())
    await writer.drain()
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    return reader, writer


async def until(good: Callable[[], bool]) -> None:
    """Return when something holds."""
    async with asyncio.timeout(PATIENCE_S):
        while not good():  # noqa: ASYNC110 what is looked at tells nobody
            await asyncio.sleep(0.05)
