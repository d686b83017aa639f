"""A real browser, headless: each test has a window of its own that nothing else is open in.

Chromium as the system's packages have it (`make clients` installs it where it may). A page that
writes an error to the browser's console, raises, or asks any host but this machine fails its test.
"""

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from tests.browser.steps import link_to
from tests.conftest import Cloud

SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS_MAX = 30
expect.set_options(timeout=SECONDS_MAX * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; skips when it is not installed.

    Playwright's event loop is the thread's own while it runs: no longer than for the tests of one
    file, as those of others have loops, too.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed here; `make clients` installs it as root on Debian")
    with sync_playwright() as drivers:
        running = drivers.chromium.launch(executable_path=path, args=SWITCHES)
        yield running
        running.close()


class Faults:
    """What a page has done wrong so far; a test that provokes a fault clears it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def watch(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.seen.append(f"raised: {error}"))
        page.on("request", lambda request: self._look(request.url))

    def _hear(self, message: object) -> None:
        if message.type == "error":  # type: ignore[attr-defined] # Playwright's own class.
            self.seen.append(f"console: {message.text}")  # type: ignore[attr-defined] # As above.

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = host in ("127.0.0.1", "localhost", "::1") or host.endswith(".localhost")
        if parts.scheme in ("http", "https", "ws", "wss") and not local:
            self.seen.append(f"asked {url}")


@pytest.fixture
def faults() -> Faults:
    """Faults of all pages of the test; nothing may be left in it at the end."""
    return Faults()


@pytest.fixture
def window(browser: Browser, faults: Faults) -> Iterator[BrowserContext]:
    """A window without cookies or storage of others; pages opened in it are watched."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(SECONDS_MAX * 1000)
    context.on("page", faults.watch)
    yield context
    context.close()
    assert not faults.seen, "\n".join(faults.seen)


@pytest.fixture
def page(window: BrowserContext) -> Page:
    """One empty page."""
    return window.new_page()


@pytest.fixture
def console(cloud: Cloud, page: Page) -> Page:
    """The console's home, signed in as the root by a printed link."""
    page.goto(link_to(cloud))
    expect(page.get_by_role("heading", name="Home")).to_be_visible()
    return page
