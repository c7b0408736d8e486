"""`freshet dashboard` in a real browser, on real Kafka and Redis, beside a worker."""

import asyncio
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from app.dashboard.pages import PAGES
from tests.browser import Watched, browser
from tests.dashboard import N_EVENTS, N_USERS, SCRIPT, TOKEN, configure, send_stream, sent, served_dashboard
from tests.scene import Scene, send_all

PATIENCE_MS = 60_000.0
SERIOUS = ("serious", "critical")
SHOWN = {
    "/": "All is well|alarm",
    "/stream": "item-|number",
    "/quality": "By source",
    "/people?user=user-1": "List in force",
    "/items?item=item-1": "Similar items",
    "/trending": "Trending, last hour",
    "/dead-letters": "unknown_event_type",
    "/settings": "dashboard_max_pages",
}


def test_every_page_shows_the_stream(scene: Scene, tmp_path: Path) -> None:
    """Numbers that the stream has made, ids escaped; no error, no other host, no barrier, nothing too wide."""
    configure(scene)
    scene.worker()

    async def walk(url: str) -> None:
        async with browser() as chromium:
            await send_stream(scene)
            await asyncio.to_thread(scene.await_durable)
            await look_at_all(chromium, url, tmp_path, width=1440, dark=False)
            await look_at_all(chromium, url, tmp_path, width=390, dark=True)

    with served_dashboard(scene, tmp_path) as url:
        asyncio.run(walk(url))


def test_open_pages_move_and_can_be_used(scene: Scene, tmp_path: Path) -> None:
    """What comes is seen without a reload; by keyboard; a click, a redrive, a theme, out and in again."""
    configure(scene)
    scene.worker()

    async def walk(url: str) -> None:
        async with browser() as chromium:
            await send_stream(scene)
            await asyncio.to_thread(scene.await_durable)
            await see_it_move(chromium, url, scene)
            await use_it(chromium, url)

    with served_dashboard(scene, tmp_path) as url:
        asyncio.run(walk(url))


async def opened(chromium: Browser, url: str, *, width: int = 1440, dark: bool = False) -> Watched:
    """A page that was let in by the address with the token."""
    context = await chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"
    )
    watched = Watched(await context.new_page(), urlsplit(url).netloc)
    watched.page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    await watched.page.goto(f"{url}/login?token={TOKEN}")
    await expect(watched.page.locator("h1")).to_have_text("Overview")
    return watched


async def look_at_all(chromium: Browser, url: str, folder: Path, *, width: int, dark: bool) -> None:
    """Every page; pictures of them are left in the folder."""
    assert len(SHOWN) == len(PAGES)
    watched = await opened(chromium, url, width=width, dark=dark)
    page = watched.page
    for path, shown in SHOWN.items():
        await page.goto(url + path)
        await page.wait_for_function(f"/{shown}/.test(document.body.innerText)")
        name = urlsplit(path).path.strip("/") or "overview"
        await page.screenshot(path=folder / f"{name}-{width}-{'dark' if dark else 'light'}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{path} is {wide} pixels wide"
        watched.wrong += [f"{path}: {fault}" for fault in await barriers(page)]
    assert watched.wrong == []
    await page.context.close()


async def barriers(page: Page) -> list[str]:
    """What keeps a page from being used by everybody, of the serious kinds."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{each['id']} {node['target']} {node['failureSummary']}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]


async def see_it_move(chromium: Browser, url: str, scene: Scene) -> None:
    """Without a reload: a new user in the tail, in the filtered tail not; numbers of the overview grow."""
    overview, stream, other = [await opened(chromium, url) for _ in range(3)]
    users = overview.page.locator("[data-figure=users]")
    await expect(users).to_have_text(str(N_USERS))
    await expect(overview.page.locator("#part-figures")).to_contain_text(f"{N_EVENTS:,} events")
    await stream.page.goto(f"{url}/stream")
    await other.page.goto(f"{url}/stream?type=view")
    for watched in (overview, stream, other):
        await watched.page.evaluate("window.stays = true")
    began = time.monotonic()
    late = sent("latecomer", SCRIPT, "click", int(time.time() * 1000))
    await send_all(scene.settings.kafka, scene.names.events, [late])
    await expect(stream.page.locator("#part-tail")).to_contain_text("latecomer")
    print(f"an event shows in the tail {time.monotonic() - began:.2f} s after it was due to be sent")
    await expect(stream.page.locator("#part-tail")).to_contain_text(SCRIPT)
    await expect(users).to_have_text(str(N_USERS + 1))
    print(f"and in the number of users {time.monotonic() - began:.2f} s after")
    await expect(other.page.locator("#part-tail")).not_to_contain_text("latecomer")
    for watched in (overview, stream, other):
        assert await watched.page.evaluate("window.stays")
        assert watched.wrong == []
        await watched.page.context.close()


async def use_it(chromium: Browser, url: str) -> None:
    """By keyboard; a click that changes a list; letters sent again; another theme; and out."""
    watched = await opened(chromium, url)
    page = watched.page
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()

    await page.goto(f"{url}/people?{urlencode({'user': 'user-7'})}")
    first = page.locator(".list > li").first
    clicked = await first.locator("input[name=item]").get_attribute("value")
    await first.get_by_role("button").click()
    await expect(page.get_by_role("heading", name="The list answered in")).to_be_visible()
    await expect(page.locator(f'.list input[name=item][value="{clicked}"]')).to_have_count(0)
    print(await page.locator(".reaction").inner_text())

    await page.goto(f"{url}/dead-letters")
    await page.get_by_role("link", name="Send all again that are valid now").click()
    await page.get_by_role("button", name="Send again").click()
    await expect(page.get_by_role("heading", name="Sending again: done")).to_be_visible()
    await expect(page.locator("#part-redrive")).to_contain_text("0 sent, 5 are still no valid events")

    await page.get_by_role("button", name="Light or dark").click()
    assert await page.evaluate("document.documentElement.dataset.theme") == "dark"
    await page.get_by_role("button", name="Log out").click()
    await expect(page.locator("h1")).to_have_text("Token")
    await page.goto(f"{url}/stream?type=click")
    await page.get_by_label("Token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("h1")).to_have_text("Stream")
    assert page.url.endswith("/stream?type=click")
    assert watched.wrong == []
