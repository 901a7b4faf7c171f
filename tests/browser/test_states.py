"""Every state of the page: for screen readers and keyboards, in both themes, on a phone, in Korean."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import answers
from tests.browser.conftest import JOB_MS, Site, photograph
from tests.browser.waiting import until

pytestmark = pytest.mark.process

TEXTS = Path(__file__).parents[2] / "gateway/etbgm_gateway/page/text"
MADE_UP = {"queued": answers.queued, "waiting": answers.waiting, "failed": answers.failed}


def check_accessibility(page: Page) -> None:
    """axe-core finds nothing (WCAG 2.2 A and AA, and its best practices)."""
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []


def check_width(page: Page) -> None:
    """Nothing is wider than the window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_first_view_and_a_result_are_accessible(
    site: Site, job: str, context: BrowserContext, theme: str
) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=theme)
    page.goto(site.at())
    page.get_by_role("heading", name="Earlier videos").wait_for()
    page.get_by_text("More settings").click()
    check_accessibility(page)
    photograph(page, f"first-{theme}")
    page.goto(site.at(job))
    page.locator(".editor").wait_for()
    page.locator(".board").focus()
    page.keyboard.press("]")
    page.get_by_label("Intensity").fill("0.7")
    page.get_by_role("button", name="Remix").wait_for()
    check_accessibility(page)
    photograph(page, f"result-{theme}")


@pytest.mark.parametrize("state", MADE_UP)
def test_jobs_without_a_result_are_accessible(site: Site, context: BrowserContext, state: str) -> None:
    page = context.new_page()
    page.goto(site.at(answers.serve(context, MADE_UP[state]())))
    page.get_by_role("heading", name="holiday.mp4").wait_for()
    check_accessibility(page)
    photograph(page, f"job-{state}")


def test_signing_in(site: Site, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(site.url)
    key = page.get_by_label("Key")
    key.fill("etbgm_wrong_key")
    key.press("Enter")
    page.get_by_role("alert").get_by_text("The key is not valid").wait_for()
    check_accessibility(page)
    photograph(page, "sign-in")
    key.fill(site.key)
    key.press("Enter")
    page.get_by_text("Drop a video here").wait_for()
    assert site.key not in page.evaluate(
        "document.cookie + location.href + JSON.stringify({...localStorage})"
    )


def test_a_phone_in_korean(site: Site, job: str, browser: Browser) -> None:
    context = browser.new_context(
        viewport={"width": 375, "height": 740}, locale="ko-KR", has_touch=True, is_mobile=True
    )
    page = context.new_page()
    page.goto(site.at())
    page.get_by_text("동영상을 여기에 놓으세요").wait_for()
    check_width(page)
    photograph(page, "phone-ko-first")
    page.goto(site.at(job))
    page.locator(".editor").wait_for()
    page.locator("[data-track=original]").click()
    check_width(page)
    check_accessibility(page)
    photograph(page, "phone-ko-result")
    context.close()


def test_texts_are_complete_in_both_languages() -> None:
    english, korean = (json.loads((TEXTS / f"{tag}.json").read_text()) for tag in ("en", "ko"))
    assert english.keys() == korean.keys()
    for key, text in english.items():
        names = {part.partition("}")[0] for part in text.split("{")[1:]}
        assert names == {part.partition("}")[0] for part in korean[key].split("{")[1:]}, key


def test_the_whole_flow_by_keyboard(site: Site, video: Path, page: Page) -> None:
    page.goto(site.at())
    page.get_by_text("Drop a video here").wait_for()

    def tab_to(name: str) -> None:
        """Presses Tab until the element with this name, id or text has the focus."""
        for _ in range(80):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "(({ id, ariaLabel, textContent }) => [id, ariaLabel, textContent])(document.activeElement)"
            )
            if name in focused or (focused[2] or "").strip() == name:
                return
        raise AssertionError(f"{name} cannot be reached with Tab")

    with page.expect_file_chooser() as chooser:
        tab_to("file")
        page.keyboard.press("Enter")
    chooser.value.set_files(video)
    page.wait_for_url("**/#/jobs/*")
    page.locator(".editor").wait_for(timeout=JOB_MS)
    page.keyboard.press(" ")
    until(page, "document.querySelector('video').currentTime > 0.3")
    page.keyboard.press("2")
    page.locator("[data-track=variant-2][aria-selected=true]").wait_for()
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('video').currentTime > 5")
    page.keyboard.press(" ")
    tab_to("Timeline")
    page.keyboard.press("[")
    page.keyboard.press("+")
    tab_to("edit-emotion")
    page.keyboard.press("f")
    tab_to("remix")
    before = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != before)
    page.locator("[data-track=old]").wait_for(timeout=JOB_MS)
    with page.expect_download() as started:
        page.locator("[data-kind=video]").focus()
        page.keyboard.press("Enter")
    assert started.value.suggested_filename.endswith(".mp4")
