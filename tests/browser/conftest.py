"""The page in a real browser, on `etbgm serve` with its real engines."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser import clip
from tests.servers import free_port

ETBGM = Path(sys.executable).with_name("etbgm")
SCREENS = Path(__file__).parents[2] / "build" / "screens"
JOB_MS = 180_000
"""Time that a job may take on a slow machine."""


@dataclass(frozen=True)
class Site:
    """A running page: its address, and the key that opens a session."""

    url: str
    key: str

    def at(self, place: str = "") -> str:
        """The address of a view that also opens a session."""
        return f"{self.url}/#key={self.key}&{place}"


@contextmanager
def serving(data: Path) -> Iterator[Site]:
    """`etbgm serve` with everything in `data`, while the context lasts."""
    address = f"127.0.0.1:{free_port()}"
    command = [ETBGM, "serve", "--listen", "127.0.0.1:0", "--http", address, "--data", data]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            lines = [server.stdout.readline(), server.stdout.readline()] if server.stdout else []
            found = re.search(r"Web page: (\S+)/\s", lines[-1])
            assert found, f"etbgm serve did not print the page's address: {lines}"
            yield Site(found[1], (data / "key").read_text().strip())
        finally:
            server.terminate()
            server.wait(60)


@contextmanager
def chromium(program: str) -> Iterator[Browser]:
    """A headless browser while the context lasts."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=["--autoplay-policy=no-user-gesture-required"]
        )
        yield launched
        launched.close()


def installed() -> str | None:
    """Debian's Chromium, or the one that ETBGM_CHROMIUM names; None without either."""
    return os.environ.get("ETBGM_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for all tests of the page."""
    with serving(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless browser for the tests of one module.

    While Playwright runs, its event loop does too, and no test elsewhere could run one of its own.
    """
    program = installed()
    if not program:
        pytest.skip("there is no Chromium here: apt-get install chromium")
    with chromium(program) as launched:
        yield launched


@pytest.fixture
def context(browser: Browser, problems: list[str]) -> Iterator[BrowserContext]:
    """A user's browser with nothing in it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    context.on("weberror", lambda error: problems.append(str(error.error)))
    context.on("console", lambda message: message.type == "error" and problems.append(message.text))
    yield context
    context.close()


@pytest.fixture
def problems() -> Iterator[list[str]]:
    """What the browser complained about, which includes what its security policy stopped."""
    found: list[str] = []
    yield found
    unexpected = [one for one in found if "Failed to load resource" not in one]
    assert unexpected == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip.make(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def finished() -> list[str]:
    """The place of the job below, once it is finished."""
    return []


@pytest.fixture(scope="module")
def job(site: Site, browser: Browser, video: Path, finished: list[str]) -> str:
    """The place of a finished job with two variants, made on the page as a user makes it."""
    if not finished:
        finished.append(_made(site, browser, video))
    return finished[0]


def _made(site: Site, browser: Browser, video: Path) -> str:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    page = context.new_page()
    page.goto(site.at())
    photograph(page, "1-empty")
    page.get_by_label("Variants").fill("2")
    page.get_by_label("Style").select_option("cinematic")
    page.set_input_files("#file", video)
    page.wait_for_url("**/#/jobs/*")
    page.get_by_text("Separate the speech").wait_for()
    photograph(page, "2-working")
    page.locator(".timeline").wait_for(timeout=JOB_MS)
    place = page.url.partition("#/")[2]
    context.close()
    return place


def photograph(page: Page, name: str) -> None:
    """Keeps a picture of the whole page in build/screens."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True, animations="disabled")
