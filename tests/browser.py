"""A real browser: Debian's Chromium, driven by Playwright, that notes what no page may do."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """Where Chromium is; without one the test is skipped, on CI it fails."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if os.environ.get("CI") == "true":
        pytest.fail("CI has no Chromium: tools/browser.sh installs one")
    pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")


class Watched:
    """A page, and what it has done.

    Attributes
    ----------
    wrong
        Errors in its console, scripts that failed, requests to other hosts and requests that failed.
    """

    def __init__(self, page: Page, host: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        self._host = host
        page.on("console", self._said)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"console: {message.text}")

    def _failed(self, error: Error) -> None:
        self.wrong.append(f"script: {error}")

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.wrong.append(f"request to {request.url}")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A headless browser that ends with the block."""
    path = chromium()
    async with async_playwright() as playwright:
        sandbox = [] if os.getuid() else ["--no-sandbox"]  # root has none
        found = await playwright.chromium.launch(executable_path=path, args=sandbox)
        try:
            yield found
        finally:
            await found.close()
