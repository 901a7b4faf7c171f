"""Takes the pictures of the page for the README, with the result of the demo.

usage: python -m tests.browser.pictures VIDEO [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.conftest import JOB_MS, Site, chromium, installed, serving

SCREENS = Path(__file__).parents[2] / "gateway" / "screens"
POSITION = 1 / 3
"""Where the position is, as a share of the timeline."""


def main() -> None:
    """See the module."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = Path(sys.argv[2]) if len(sys.argv) == 3 else SCREENS
    program = installed()
    if not program:
        sys.exit("There is no Chromium here: apt-get install chromium")
    with tempfile.TemporaryDirectory() as data, serving(Path(data)) as site, chromium(program) as browser:
        place = _made(browser, site, Path(sys.argv[1]))
        _photograph(browser, site.at(place), folder / "result.png", 1130)
        _photograph(browser, site.at(place), folder / "dark.png", 1700, color_scheme="dark")
        phone = {"locale": "ko-KR", "device_scale_factor": 1.5, "has_touch": True}
        _photograph(browser, site.at(place), folder / "phone.png", 844, width=390, **phone)


def _made(browser: Browser, site: Site, video: Path) -> str:
    """Returns the place of a finished job with two variants."""
    page = browser.new_page()
    page.goto(site.at())
    page.get_by_label("Variants").fill("2")
    page.set_input_files("#file", video)
    page.wait_for_url("**/#/jobs/*")
    page.locator(".timeline").wait_for(timeout=JOB_MS)
    return page.url.partition("#/")[2]


def _photograph(
    browser: Browser, url: str, path: Path, height: int, width: int = 1180, **options: object
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height}, **{"locale": "en-US"} | options)  # type: ignore[arg-type]  # an option each
    page.goto(url)
    page.locator(".timeline").wait_for()
    _go_to_position(page)
    page.wait_for_timeout(1500)  # until the video shows the picture of the position
    page.screenshot(path=path, animations="disabled")
    page.close()


def _go_to_position(page: Page) -> None:
    """Chooses the emotion at the position, as a click on it does."""
    board = page.locator(".board")
    box = board.bounding_box()
    assert box
    board.click(position={"x": POSITION * box["width"], "y": 45})
    page.evaluate("window.scrollTo(0, 0)")


if __name__ == "__main__":
    main()
