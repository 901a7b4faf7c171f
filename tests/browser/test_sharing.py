"""A result is shared by a link, which shows it to somebody without a key."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from etbgm_gateway.identity.authentication import REMEMBER_S
from tests.browser.conftest import Site, photograph
from tests.browser.test_states import check_accessibility, check_width

pytestmark = pytest.mark.process


def link_on(page: Page) -> str:
    """Makes a link on the page of its owner."""
    page.get_by_role("button", name="Create a link").click()
    link = page.get_by_label("This link is shown only now")
    link.wait_for()
    return link.input_value()


def test_a_visitor_hears_the_variants_until_the_link_is_deleted(
    site: Site, job: str, context: BrowserContext, browser: Browser
) -> None:
    owner = context.new_page()
    owner.goto(site.at(job))
    kept = link_on(owner)
    assert "#share=etbgm-share_" in kept
    check_accessibility(owner)
    owner.get_by_role("heading", name="Share").scroll_into_view_if_needed()
    photograph(owner, "6-share")

    visitor = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
    visitor.goto(kept)
    visitor.get_by_text("Somebody has shared this result").wait_for()
    visitor.locator(".timeline").wait_for()
    assert "etbgm-share" not in visitor.url, "the secret is not left in the address"
    visitor.get_by_role("tab", name="Variant 2").click()
    visitor.locator("[data-track=variant-2][aria-selected=true]").wait_for()
    with visitor.expect_download() as started:
        visitor.locator("[data-kind=music]").click()
    assert started.value.path().stat().st_size > 10_000
    assert visitor.locator(".editor, #share, a.back").count() == 0
    check_accessibility(visitor)
    check_width(visitor)
    photograph(visitor, "7-shared")
    visitor.reload()
    visitor.locator(".timeline").wait_for()

    owner.get_by_role("button", name="Delete the link").first.click()
    owner.get_by_role("button", name="Delete the link").wait_for(state="detached")
    stranger = browser.new_context().new_page()
    stranger.wait_for_timeout(1000 * REMEMBER_S)
    stranger.goto(kept)
    stranger.get_by_text("no longer valid").wait_for(timeout=15_000)
    visitor.context.close()
    stranger.context.close()
